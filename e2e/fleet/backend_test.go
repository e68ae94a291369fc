package fleet_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// backend counts its calls and can be dead.
type backend struct {
	url    string
	name   string
	dead   atomic.Bool
	slow   atomic.Int64 // nanoseconds
	calls  atomic.Int64
	issued atomic.Int64

	mu sync.Mutex
	at []time.Time // of the calls
}

func newBackend(t *testing.T, name string) *backend {
	t.Helper()
	b := &backend{name: name}
	b.url = testsite.OwnBackend(t, b.serve)
	return b
}

func (b *backend) serve(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	b.calls.Add(1)
	b.mu.Lock()
	b.at = append(b.at, time.Now())
	b.mu.Unlock()
	time.Sleep(time.Duration(b.slow.Load()))
	if b.dead.Load() {
		http.Error(w, "dead", http.StatusInternalServerError)
		return
	}
	if r.URL.Path == "/api/sessions" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"session_id":"planted-secret-%s-%d"}`, b.name, b.issued.Add(1))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: %s\n\n", b.name)
}

// since returns how many calls there were from a moment on, and when the last was.
func (b *backend) since(from time.Time) (n int, last time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range b.at {
		if !at.Before(from) {
			n++
			last = at.Sub(from)
		}
	}
	return n, last
}
