package sandbox

import (
	"bytes"
	"net"
	"net/http"
	"strings"
)

// Sizes of the oversized answers.
const (
	longSecret  = 9 << 10 // bytes
	hugePadding = 8 << 20 // bytes
	nestedDepth = 20_000  // brackets
)

// offSite is where Status301 points.
const offSite = "http://elsewhere.invalid/login"

// loginPage is what a proxy in front of a real service shows to unknown users.
const loginPage = "<!doctype html><html><head><title>Sign in</title></head>" +
	"<body><form method=\"post\" action=\"/login\"><input name=\"password\"></form></body></html>\n"

// statuses are the faults that answer with an error in the dialect's format.
var statuses = map[Fault]int{
	Status500: 500, Status501: 501, Status429: 429, Status429Bare: 429, Status425: 425,
	Status422: 422, Status409: 409, Status408: 408, Status405: 405, Status404: 404,
	Status403: 403, Status401: 401, Status400: 400, Status301: 301,
}

// statusHeaders are the headers that some faults add to their answer.
var statusHeaders = map[Fault][2]string{
	Status429:      {"Retry-After", "1"},
	Status503Retry: {"Retry-After", "1"},
	Status405:      {"Allow", http.MethodGet},
	Status301:      {"Location", offSite},
}

// limiter is a dialect with its own headers, instead of Retry-After, for when a
// rate-limited caller may come back.
type limiter interface{ limit(h http.Header) }

// overloaded is the body of the 503 faults, in the pieces that Status503Chunked
// flushes.
var overloaded = []string{"no healthy ", "upstream: ", "overloaded\n"}

// play answers the request according to the active fault.
func (e *exchange) play() {
	f := e.phase.fault
	if l, ok := e.s.dialect.(limiter); ok && f == Status429 {
		l.limit(e.w.Header())
	} else if h, ok := statusHeaders[f]; ok {
		e.w.Header().Set(h[0], h[1])
	}
	switch f {
	case Refuse, Reset:
		drop(e.w, reset)
	case Hang:
		e.hang()
	case Slow:
		e.slow()
	case Cut, CutChunked:
		e.cut(f == CutChunked)
	case Garbage:
		drop(e.w, babble)
	case Status503, Status503Retry:
		reply{status: 503, contentType: typeText, body: []byte(strings.Join(overloaded, ""))}.write(e.w)
	case Status503Chunked:
		e.inPieces()
	case Huge:
		e.huge()
	default:
		e.send(e.whole(f))
	}
}

// whole returns the reply of a fault that is written at once.
func (e *exchange) whole(f Fault) reply {
	if status, ok := statuses[f]; ok {
		return e.s.dialect.problem(status)
	}
	switch f {
	case HTML:
		return reply{status: 200, contentType: typeHTML, body: []byte(loginPage)}
	case Null:
		return jsonReply(200, []byte("null"))
	case Empty:
		return jsonReply(200, []byte("{}"))
	case NoBody:
		return jsonReply(200, nil)
	case Nested:
		return jsonReply(200, bytes.Join([][]byte{
			bytes.Repeat([]byte("["), nestedDepth), bytes.Repeat([]byte("]"), nestedDepth),
		}, nil))
	default:
		return e.answer(f)
	}
}

// answer returns the service's reply to the request, and records its secret.
func (e *exchange) answer(f Fault) reply {
	a := e.judge(e.req, f)
	if a.secret != "" {
		e.s.log.secret(a.secret)
	}
	return a
}

// hang waits until the client leaves, the fault changes or the server closes.
func (e *exchange) hang() {
	select {
	case <-e.r.Context().Done():
	case <-e.phase.over:
	case <-e.s.gone:
	}
	drop(e.w, reset)
}

// slow answers late. It creates no session if the client has left.
func (e *exchange) slow() {
	if e.pause(e.s.slowBy) {
		e.send(e.answer(None))
	}
}

// cut sends the first half of a valid answer. A request that the service would
// refuse anyway gets the complete refusal.
func (e *exchange) cut(chunked bool) {
	a := e.answer(None)
	if a.status != http.StatusOK {
		a.write(e.w)
		return
	}
	length := len(a.body)
	if chunked {
		length = -1
	}
	a.head(e.w, length)
	_, _ = e.w.Write(a.body[:len(a.body)/2])
	flush(e.w)
	drop(e.w, sever)
}

// inPieces sends the answer one chunk at a time.
func (e *exchange) inPieces() {
	reply{status: 503, contentType: typeText}.head(e.w, -1)
	for _, piece := range overloaded {
		_, _ = e.w.Write([]byte(piece))
		flush(e.w)
	}
}

// huge pads a valid answer with an extra field after all others. A stream is sent
// unchanged, because it has no fields.
func (e *exchange) huge() {
	a := e.answer(None)
	if a.status != http.StatusOK || a.contentType == typeEvents {
		e.send(a)
		return
	}
	open, pad, end := a.body[:len(a.body)-1], bytes.Repeat([]byte("x"), 64<<10), []byte(`"}`)
	open = append(open, `,"padding":"`...)
	a.head(e.w, len(open)+hugePadding+len(end))
	_, err := e.w.Write(open)
	for sent := 0; sent < hugePadding && err == nil; sent += len(pad) {
		_, err = e.w.Write(pad)
	}
	_, _ = e.w.Write(end)
}

// babble sends bytes that are not HTTP and closes the connection.
func babble(conn net.Conn) {
	// If the write fails, the result is the same for the client: no answer.
	_, _ = conn.Write([]byte("\x16\x03\x01\x00not http at all\x00\xff\xfe\r\n\r\n"))
	sever(conn)
}
