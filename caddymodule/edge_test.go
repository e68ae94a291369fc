package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// attack is something no good client does, against an address, with the outcome as
// a client sees it.
type attack struct {
	name    string
	secure  bool // over TLS, for HTTP/2
	do      func(addr string) string
	ours    string // through chatkit; several that may be with | between them
	plain   string // through reverse_proxy, "" for the same
	backend int64  // requests that the backend may get at most, -1 for any number
}

// edge is a Caddy with two sites in front of one backend: chatkit, and Caddy's
// reverse_proxy alone. Each stands on a plain listener and one with TLS. No
// connections to the backend are kept: they would blur the figures.
type edge struct {
	*site

	seen     atomic.Int64 // requests that the backend got
	smuggled atomic.Int64 // those to the path that no request line has
	plain    string
	addrs    map[string]string // by site and scheme
}

const edgeBlock = `
	anonymous
	first_byte 30s
	chatkit /chatkit
	provider backend %s {
		max_in_flight 100000
		timeout 10s
		retries 0
		breaker {
			consecutive off
			ratio off
		}
		transport http {
			keepalive off
		}
	}`

func newEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{site: newUnloadedSite(t), addrs: map[string]string{}}
	backend := testsite.OwnBackendAt(t, testsite.FreeAddr(t), http.HandlerFunc(e.serve))
	cert, key := testsite.Certificate(t)
	text := strings.Replace(e.Caddyfile(fmt.Sprintf(edgeBlock, backend.URL)), "auto_https off", "auto_https off\n servers {\n timeouts {\n read_header 3s\n read_body 1s\n }\n }", 1)
	head, body, _ := strings.Cut(text, e.URL+" {")
	for name, site := range map[string]string{"chatkit": body, "reverse_proxy": "\n reverse_proxy " + backend.URL + " {\n transport http {\n keepalive off\n }\n }\n}\n"} {
		for scheme, tls := range map[string]string{"http": "", "https": "\n tls " + cert + " " + key} {
			addr := testsite.FreeAddr(t)
			e.addrs[name+" "+scheme] = addr
			head += scheme + "://" + addr + " {" + tls + site
		}
	}
	e.URL = "http://" + e.addrs["chatkit http"]
	e.plain = "http://" + e.addrs["reverse_proxy http"]
	e.LoadText(head)
	return e
}

// serve is the backend.
func (e *edge) serve(w http.ResponseWriter, r *http.Request) {
	e.seen.Add(1)
	if strings.Contains(r.URL.Path, "smuggled") {
		e.smuggled.Add(1)
	}
	if r.Header.Get("Upgrade") != "" {
		echoSocket(w, r)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"session_id":"s-1"}`)
}

// Caddy's own defences at its edge are as effective with this handler as without:
// the client gets the same end, the backend nothing that was not sent to it, and
// nothing is left behind.
func TestEdge(t *testing.T) {
	e := newEdge(t)
	for _, a := range slices.Concat(edgeHTTP1(), edgeHTTP2(), edgeSockets()) {
		t.Run(a.name, func(t *testing.T) {
			scheme := "http"
			if a.secure {
				scheme = "https"
			}
			plain := e.under(t, a, "reverse_proxy", scheme)
			ours := e.under(t, a, "chatkit", scheme)
			wantPlain := a.plain
			if wantPlain == "" {
				wantPlain = a.ours
			}
			if !within(ours.got, a.ours) || !within(plain.got, wantPlain) {
				t.Errorf("got %q, want %q; and through reverse_proxy %q, want %q", ours.got, a.ours, plain.got, wantPlain)
				if lines := e.Logged("caddy.log", "could not be carried"); len(lines) > 0 {
					t.Log(lines[len(lines)-1])
				}
			}
			if a.backend >= 0 && ours.asked > a.backend {
				t.Errorf("the backend was asked %d times, want at most %d", ours.asked, a.backend)
			}
			if ours.goroutines > max(plain.goroutines, 0)+12 {
				t.Errorf("%d goroutines are left", ours.goroutines)
			}
			if ours.left > 24 || ours.peak > 2*plain.peak+48 {
				t.Errorf("%d MiB are left, and the peak was %d MiB (reverse_proxy: %d)", ours.left, ours.peak, plain.peak)
			}
			if got := e.Session(); got.Status != http.StatusOK {
				t.Errorf("a good request then gets %d: %s", got.Status, got.Raw)
			}
			t.Logf("| %s | %s | %s | %d / %d | %d / %d | %+d / %+d |", a.name, ours.got, plain.got,
				ours.asked, plain.asked, ours.peak, plain.peak, ours.goroutines, plain.goroutines)
		})
	}
	if n := e.smuggled.Load(); n > 0 {
		t.Errorf("the backend got %d requests that were hidden in others", n)
	}
}
