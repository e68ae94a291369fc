package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/url"
)

// maxBody is the maximum size of a request body, in bytes.
const maxBody = 1 << 20

// errTooLarge is returned for a body longer than maxBody.
var errTooLarge = errors.New("body too large")

// dialect is the API of one kind of service.
type dialect interface {
	// route returns the judge of a path's requests, nil if there is no such path.
	// Every path supports POST only.
	route(u *url.URL) judge
	// problem returns an error answer with the given status.
	problem(status int) reply
}

// marker is a dialect with headers that every one of its answers has.
type marker interface{ mark(h http.Header) }

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

// handle serves one request.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	s.busy.Add(1)
	defer s.busy.Done()
	if m, ok := s.dialect.(marker); ok {
		m.mark(w.Header())
	}
	judge := s.dialect.route(r.URL)
	switch {
	case judge == nil:
		s.dialect.problem(http.StatusNotFound).write(w)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.dialect.problem(http.StatusMethodNotAllowed).write(w)
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

// record reads the request. It keeps net/http's header map, which is never
// reused.
func record(r *http.Request) (*Recorded, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return &Recorded{
		Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
		Header: r.Header, Body: body,
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
