package caddymodule

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// errRevoked is what a transport reads that comes too late.
var errRevoked = errors.New("the request is over")

// lastChance is how long the server waits for the rest of a body that nobody wants
// any more. Most have arrived by then, and their connection can be used again.
const lastChance = 250 * time.Millisecond

// revocableBody is a request's body while transports read it. A transport goes on
// reading what it wants to send even after the backend has answered, and nothing
// in net/http waits for it. But once the handler returns the body belongs to the
// server again, and Caddy's length counter around it is not safe for a second
// reader.
type revocableBody struct {
	io.ReadCloser

	rc    *http.ResponseController
	ended atomic.Bool // a read was interrupted

	mu   sync.Mutex
	over bool
	read bool // to its end
}

// newRevocableBody gives a request a body that can be revoked, and returns it. It
// returns nil for a request without a body, which stays as it is.
func newRevocableBody(w http.ResponseWriter, r *http.Request) *revocableBody {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	b := &revocableBody{ReadCloser: r.Body, rc: http.NewResponseController(w)}
	r.Body = b
	return b
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

// interrupt ends a read that waits for the client. The connection is of no more
// use then.
func (b *revocableBody) interrupt() {
	b.ended.Store(true)
	_ = b.rc.SetReadDeadline(time.Now()) // where it cannot be set, the read goes on
}

// revoke ends all reading of a body that was not read to its end. A transport that
// waits for the client is woken. So is the server, which would otherwise wait for
// the rest before it sends the answer.
func (b *revocableBody) revoke() {
	if b == nil {
		return
	}
	wait := lastChance
	if !b.mu.TryLock() {
		wait = 0
		if b.rc.SetReadDeadline(time.Now()) != nil {
			return // nothing would wake the reader
		}
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.over = true
	if b.ended.Load() {
		wait = 0
	}
	if !b.read {
		_ = b.rc.SetReadDeadline(time.Now().Add(wait)) // where it cannot be set, the server waits
	}
}
