package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// backend makes sessions and cancels them.
type backend struct {
	name string
	slow float64 // part of the requests that take 2 s

	mu       sync.Mutex
	made     int
	canceled map[string]bool
}

// ServeHTTP makes a session, whether or not anybody still waits for it, or cancels one.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.canceled[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]] = true
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	took := 20 * time.Millisecond
	if rand.Float64() < b.slow { //nolint:gosec // a load, no secret
		took = 2 * time.Second
	}
	time.Sleep(took)
	b.mu.Lock()
	b.made++
	id := fmt.Sprint(b.name, "-", b.made)
	b.mu.Unlock()
	_, _ = fmt.Fprintf(w, `{"session_id": %q}`, id)
}

// books returns how many sessions were made, and those that were canceled.
func (b *backend) books() (made int, canceled []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.canceled {
		canceled = append(canceled, id)
	}
	return b.made, canceled
}
