package caddymodule

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// errRevoked is what a transport reads that comes too late.
var errRevoked = errors.New("the request is over")

// revocableBody is a request's body while transports read it. A transport goes on
// reading what it wants to send even after the backend has answered, and nothing
// in net/http waits for it. But once the handler returns the body belongs to the
// server again, and Caddy's length counter around it is not safe for a second
// reader.
type revocableBody struct {
	io.ReadCloser

	mu   sync.Mutex
	over bool
	read bool // to its end
}

// revocable gives a request a body that can be revoked, and returns how. A request
// without a body stays as it is.
func revocable(w http.ResponseWriter, r *http.Request) (revoke func()) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return func() {}
	}
	b := &revocableBody{ReadCloser: r.Body}
	r.Body = b
	return func() { b.revoke(http.NewResponseController(w)) }
}

// Read implements [io.Reader].
func (b *revocableBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, errRevoked
	}
	n, err := b.ReadCloser.Read(p)
	b.read = b.read || err == io.EOF
	return n, err
}

// revoke ends all reading of a body that was not read to its end. A transport that
// waits for the client is woken. So is the server, which would otherwise wait for
// the rest before it sends the answer. The connection is of no more use then.
func (b *revocableBody) revoke(rc *http.ResponseController) {
	if !b.mu.TryLock() {
		if rc.SetReadDeadline(time.Now()) != nil {
			return // nothing would wake the reader
		}
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.over = true
	if !b.read {
		_ = rc.SetReadDeadline(time.Now()) // where it cannot be set, the server waits
	}
}
