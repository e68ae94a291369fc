package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// maxBody bounds a request body, in bytes.
const maxBody = 1 << 20

// errTooLarge says that a body is longer than maxBody.
var errTooLarge = errors.New("body too large")

// dialect is how one kind of service speaks.
type dialect interface {
	// route finds what u's path serves, its one method, and for a session path
	// the judge of its requests; a path without judge answers /health. No method
	// means that there is nothing at the path.
	route(u *url.URL) (method string, judge judge)
	// mark sets the headers that every answer of the service carries.
	mark(h http.Header)
	// problem words an error answer with the given status.
	problem(status int) reply
}

// judge words the answer to one session request, its session spoiled by the
// fault where that is a fault of the session.
type judge func(req *Recorded, f Fault) reply

// exchange is one request that has been read, and what is to become of it.
type exchange struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	judge judge
	req   *Recorded
	phase *phase
}

// handle serves one request. Session requests meet every fault. /health meets
// those that strike the whole process (Refuse, Reset, Hang, Slow, Garbage); it
// is well under all others.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	s.busy.Add(1)
	defer s.busy.Done()
	s.dialect.mark(w.Header())
	method, judge := s.dialect.route(r.URL)
	switch {
	case method == "":
		s.dialect.problem(http.StatusNotFound).write(w)
	case method != r.Method:
		w.Header().Set("Allow", method)
		s.dialect.problem(http.StatusMethodNotAllowed).write(w)
	case judge == nil:
		s.serveHealth(w, r)
	default:
		s.serveSession(w, r, judge)
	}
}

// serveSession reads, records and answers a session request. The fault is
// looked up before the request shows in Calls or in the hook: whoever sees it
// there and switches then cannot change what it meets, only release it.
func (s *Server) serveSession(w http.ResponseWriter, r *http.Request, judge judge) {
	req, err := record(r)
	if errors.Is(err, errTooLarge) {
		s.dialect.problem(http.StatusRequestEntityTooLarge).write(w)
		return
	}
	if err != nil { // the client left before its request was whole
		drop(w, reset)
		return
	}
	e := &exchange{s: s, w: w, r: r, judge: judge, req: req, phase: s.phase.Load()}
	s.log.request(req)
	e.play()
}

// serveHealth answers GET /health.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	well := func(*Recorded, Fault) reply { return jsonReply(http.StatusOK, []byte(`{"status":"ok"}`)) }
	e := &exchange{s: s, w: w, r: r, judge: well, phase: s.phase.Load()}
	if slices.Contains([]Fault{Refuse, Reset, Hang, Slow, Garbage}, e.phase.fault) {
		e.play()
		return
	}
	e.answer(None).write(w)
}

// record reads the request. The header map is net/http's own: it is never
// reused, so keeping it costs nothing.
func record(r *http.Request) (*Recorded, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return &Recorded{
		Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
		Header: r.Header, Body: body, At: time.Now(),
	}, nil
}

// readBody reads the body to its end, in one piece where its length is known.
func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength >= 0 && r.ContentLength <= maxBody {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		return nil, errTooLarge
	}
	return body, err
}
