package sandbox

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by Server.Set after Server.Close.
var ErrClosed = errors.New("sandbox server closed")

// headerTimeout bounds how long a connection may take to send a request head.
const headerTimeout = 10 * time.Second

// Server is one stand-in. All its methods are safe for concurrent use.
type Server struct {
	opts    Options
	dialect dialect
	log     recorder
	conns   connections
	http    *http.Server
	url     string
	addr    string // with the port that was chosen, so that healing finds it again

	phase atomic.Pointer[phase]
	gone  chan struct{} // closed by Close
	busy  sync.WaitGroup

	mu      sync.Mutex // serialises Set and Close
	closed  bool
	socket  net.Listener  // nil while the fault is Refuse
	serving chan struct{} // closed when the accept loop of socket has ended
	release func()        // lets go of the port held during Refuse; nil otherwise
}

// phase is the time from one Set to the next.
type phase struct {
	fault Fault
	over  chan struct{} // closed when the fault is changed
}

// NewBackend starts a stand-in for a custom backend: POST /api/sessions with
// {"user_id", "model"?, "metadata"?} or ?user_id= answers 200
// {"session_id", "expires_at": RFC 3339, "model"}; POST /api/chat/stream with
// {"message"} and the key or one of the last 1000 sessions as bearer streams a
// short reply, data: {"type":"delta","delta"} events and at last
// data: {"type":"done"}; GET /health answers {"status":"ok"}. What is missing is
// 422 and a wrong key 401, in FastAPI's shapes. Faults of the session do not
// touch a stream. The error is that of listening on Options.Addr.
func NewBackend(o Options) (*Server, error) {
	o = o.withDefaults(BackendLifetime)
	return start(o, &backend{opts: o})
}

// NewOpenAI starts a stand-in for OpenAI's ChatKit sessions API:
// POST /v1/chatkit/sessions and POST /v1/chatkit/sessions/{id}/cancel, as strict
// as the published schema and with OpenAI's error shape. The last 1000 sessions
// can be cancelled; Clear does not forget them. The error is that of listening
// on Options.Addr.
func NewOpenAI(o Options) (*Server, error) {
	o = o.withDefaults(OpenAILifetime)
	return start(o, &openAI{opts: o})
}

// NewSendbird starts a stand-in for Sendbird's Platform API: POST /v3/users makes
// a user and POST /v3/users/{user_id}/token issues a token, by the documented
// rules and with Sendbird's error codes, HTTP 400 under most of them. Clear does
// not forget the users. The error is that of listening on Options.Addr.
func NewSendbird(o Options) (*Server, error) {
	o = o.withDefaults(SendbirdLifetime)
	return start(o, newSendbird(o))
}

// start listens and serves.
func start(o Options, d dialect) (*Server, error) {
	s := &Server{opts: o, dialect: d, gone: make(chan struct{})}
	s.conns.busy = &s.busy
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ConnState:         s.conns.follow,
		ReadHeaderTimeout: headerTimeout,
		// Broken handshakes and cut connections are this server's trade.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	l, err := listen(o.Addr)
	if err != nil {
		return nil, err
	}
	s.addr, s.url = l.Addr().String(), publicURL(l, o.TLS != nil)
	s.phase.Store(&phase{fault: None, over: make(chan struct{})})
	s.serve(l)
	return s, nil
}

// URL is the scheme, host and port to call, with no trailing slash. It stays
// the same for the life of the server.
func (s *Server) URL() string { return s.url }

// Fault is the fault in force.
func (s *Server) Fault() Fault { return s.phase.Load().fault }

// Close resets every connection, ends every request in flight and waits until
// its goroutines have done their work. It must not be called from the OnRequest
// hook, whose request it would wait for. Calling it again does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.gone)
		s.shut()
		s.letGo()
	}
	s.mu.Unlock()
	s.busy.Wait()
	if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
