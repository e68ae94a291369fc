package caddymodule

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// errTakenBack is what a transport reads that comes too late.
var errTakenBack = errors.New("the request is over")

// lentBody is a request's body while transports read it. A transport goes on
// reading what it wants to send even when the backend has answered, and nothing
// in net/http waits for it; but a body is its server's again once the handler
// returns, and Caddy's own counter around it bears no second reader.
type lentBody struct {
	io.ReadCloser

	mu   sync.Mutex
	over bool
}

// lend gives a request a body that can be taken back, and returns how. What has
// no body, or is a connection of its own, stays as it is.
func lend(w http.ResponseWriter, r *http.Request) (takeBack func()) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return func() {}
	}
	b := &lentBody{ReadCloser: r.Body}
	r.Body = b
	return func() { b.takeBack(http.NewResponseController(w)) }
}

// Read implements [io.Reader].
func (b *lentBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, errTakenBack
	}
	return b.ReadCloser.Read(p)
}

// takeBack ends all reading. A reader that waits for the client is woken: the
// client's connection is of no more use, as the rest of its body was not read.
func (b *lentBody) takeBack(rc *http.ResponseController) {
	if !b.mu.TryLock() {
		if rc.SetReadDeadline(time.Now()) != nil {
			return // nothing would wake the reader
		}
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.over = true
}
