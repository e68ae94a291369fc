package caddymodule_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// stepwise is a backend that sends an event whenever it is told to, and one at
// once.
func stepwise(next <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}
}

// readStep reads the i-th event. What only Caddy can read is at least there.
func readStep(t *testing.T, r io.Reader, encoding string, i int) {
	t.Helper()
	got := make([]byte, len("data: 0\n\n"))
	if encoding == "zstd" {
		if n, err := r.Read(got); n == 0 {
			t.Fatalf("event %d: got nothing and %v", i, err)
		}
		return
	}
	if _, err := io.ReadFull(r, got); err != nil || string(got) != fmt.Sprintf("data: %d\n\n", i) {
		t.Fatalf("event %d: got %q and %v", i, got, err)
	}
}

// With encode in the same site events still arrive one by one.
func TestEncodedEventsArriveOneByOne(t *testing.T) {
	for _, encoding := range []string{"gzip", "zstd", "identity"} {
		t.Run(encoding, func(t *testing.T) {
			next := make(chan struct{})
			s := newUnloadedSite(t)
			s.LoadText(s.beside("encode zstd gzip", testsite.Backends("", testsite.OwnBackend(t, stepwise(next)))))
			defer close(next)
			resp := s.Open("Accept-Encoding: " + encoding)
			got := resp.Header.Get("Content-Encoding")
			if encoding == "identity" && got != "" || encoding != "identity" && got != encoding {
				t.Fatalf("the answer is encoded as %q", got)
			}
			r := io.Reader(resp.Body)
			for i := range 3 {
				if i == 0 && got == "gzip" {
					z, err := gzip.NewReader(resp.Body)
					if err != nil {
						t.Fatal(err)
					}
					r = z
				}
				readStep(t, r, got, i)
				next <- struct{}{}
			}
		})
	}
}
