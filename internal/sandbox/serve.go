package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// maxBody is the maximum size of a request body, in bytes.
const maxBody = 1 << 20

// errTooLarge is returned for a body longer than maxBody.
var errTooLarge = errors.New("body too large")

// dialect is the API of one kind of service.
type dialect interface {
	// route returns the method that a path supports and, for a session path, the
	// judge of its requests. A path without a judge is /health. An empty method
	// means that the path does not exist.
	route(u *url.URL) (method string, judge judge)
	// mark sets the headers that every answer of the service has.
	mark(h http.Header)
	// problem returns an error answer with the given status.
	problem(status int) reply
}

// judge returns the answer to one session request. If the fault concerns the
// session, judge applies it.
type judge func(req *Recorded, f Fault) reply

// exchange is one request and its answer.
type exchange struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	judge judge
	req   *Recorded
	phase *phase
}

// handle serves one request. Every fault applies to session requests. Only faults
// of the whole process (Refuse, Reset, Hang, Slow, Garbage) apply to /health;
// with all others it is healthy.
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

// serveSession reads, records and answers a session request. It determines the
// fault before the request appears in Calls or in the hook. So a switch that
// reacts to the request can release it, but not change its fault.
func (s *Server) serveSession(w http.ResponseWriter, r *http.Request, judge judge) {
	req, err := record(r)
	if errors.Is(err, errTooLarge) {
		s.dialect.problem(http.StatusRequestEntityTooLarge).write(w)
		return
	}
	if err != nil { // the client left before its request was complete
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

// record reads the request. It keeps net/http's header map, which is never
// reused.
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

// readBody reads the whole body, with a single allocation if its length is known.
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
