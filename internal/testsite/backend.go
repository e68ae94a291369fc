package testsite

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// OwnBackend starts a backend that answers as a test has it, for what the
// stand-in does not do. It returns its URL.
func OwnBackend(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// OwnBackendAt starts one that listens on an address.
func OwnBackendAt(t *testing.T, addr string, h http.Handler) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h}}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// Received is a request as a backend got it.
type Received struct {
	*http.Request

	Text string // the body
}

// Taker is a backend that takes every request and keeps it.
type Taker struct {
	URL  string
	Then http.HandlerFunc // answers

	mu  sync.Mutex
	all []Received
}

// NewTaker starts one that answers as a test has it, nil: with an event.
func NewTaker(t *testing.T, then http.HandlerFunc) *Taker {
	t.Helper()
	k := &Taker{Then: then}
	if then == nil {
		k.Then = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: taken\n\n")
		}
	}
	k.URL = OwnBackend(t, k.ServeHTTP)
	return k
}

// ServeHTTP keeps a request and has it answered.
func (k *Taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = append(body, " and "+err.Error()...)
	}
	k.mu.Lock()
	k.all = append(k.all, Received{r, string(body)})
	k.mu.Unlock()
	k.Then(w, r)
}

// Received returns the requests so far.
func (k *Taker) Received() []Received {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all
}

// Only returns the one request there was.
func (k *Taker) Only(t *testing.T) Received {
	t.Helper()
	all := k.Received()
	if len(all) != 1 {
		t.Fatalf("the backend got %d requests, want 1", len(all))
	}
	return all[0]
}
