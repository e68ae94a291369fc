package sandbox

import (
	"cmp"
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

// headerTimeout is how long a connection may take to send a request header.
const headerTimeout = 10 * time.Second

// Server is a simulator. All its methods are safe for concurrent use.
type Server struct {
	slowBy  time.Duration
	dialect dialect
	log     recorder
	conns   connections
	http    *http.Server
	addr    string // host:port; a healed server gets the same port again

	phase atomic.Pointer[phase]
	gone  chan struct{} // closed by Close
	busy  sync.WaitGroup

	mu      sync.Mutex // serialises Set and Close
	closed  bool
	socket  net.Listener  // nil while the fault is Refuse
	serving chan struct{} // closed when the accept loop of socket has ended
	release func()        // releases the port held during Refuse; nil otherwise
}

// phase is the time from one Set to the next.
type phase struct {
	fault Fault
	over  chan struct{} // closed when the fault is changed
}

// NewBackend starts a simulated custom backend:
//
//   - POST /api/sessions with {"user_id", "model"?, "metadata"?} or ?user_id=
//     answers 200 {"session_id", "expires_at": RFC 3339, "model"}.
//   - POST /api/chat/stream with {"message"}, and the key or one of the last 1000
//     sessions as bearer token, streams a short reply: several events
//     data: {"type":"delta","delta"}, then data: {"type":"done"}.
//   - POST /chatkit speaks ChatKit's custom-server protocol, without a key:
//     threads.create and threads.add_user_message stream a turn, threads.get_by_id
//     and threads.list answer from the last 1000 threads. Where the connection is
//     lost it stores what OpenAI's server does: half the answer, and a note that
//     the user has cancelled ([Server.Turns]).
//
// A missing field gets 422 and a wrong key 401, in FastAPI's format. Faults of
// the session do not apply to streams. NewBackend returns an error if it cannot
// listen.
func NewBackend(o Options) (*Server, error) {
	return start(o, &backend{key: o.Key, pause: cmp.Or(o.TurnPause, turnPause)})
}

// NewOpenAI starts a simulated ChatKit sessions API of OpenAI:
// POST /v1/chatkit/sessions and POST /v1/chatkit/sessions/{id}/cancel. It is as
// strict as the published schema and uses OpenAI's error format. The last 1000
// sessions can be cancelled; Clear does not forget them. NewOpenAI returns an
// error if it cannot listen.
func NewOpenAI(o Options) (*Server, error) {
	return start(o, &openAI{key: o.Key})
}

// NewSendbird starts a simulated Platform API of Sendbird: POST /v3/users creates
// a user and POST /v3/users/{user_id}/token issues a token. It follows the
// documented rules and uses Sendbird's error codes, most of them with HTTP 400.
// Clear does not forget the users. NewSendbird returns an error if it cannot
// listen.
func NewSendbird(o Options) (*Server, error) {
	return start(o, newSendbird(o))
}

// start listens and serves.
func start(o Options, d dialect) (*Server, error) {
	s := &Server{slowBy: cmp.Or(o.SlowBy, slowBy), dialect: d, gone: make(chan struct{})}
	s.conns.busy = &s.busy
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ConnState:         s.conns.follow,
		ReadHeaderTimeout: headerTimeout,
		// Cut connections are what this server is for.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	l, err := listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.addr = l.Addr().String()
	s.phase.Store(&phase{fault: None, over: make(chan struct{})})
	s.serve(l)
	return s, nil
}

// URL returns the scheme, host and port of the server, without a trailing slash.
// It never changes.
func (s *Server) URL() string { return "http://" + s.addr }

// Fault returns the active fault.
func (s *Server) Fault() Fault { return s.phase.Load().fault }

// Close resets every connection, ends every request in flight and waits for its
// goroutines to finish. It must not be called from the OnRequest hook, because it
// would wait for the hook's own request. Further calls do nothing.
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
