package sandbox_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// The requests follow each other, on servers named backend, closed and openai.
func TestControl(t *testing.T) {
	closed := backend.run(t, "")
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	h := sandbox.Control(map[string]*sandbox.Server{
		"backend": backend.run(t, ""), "openai": openAI.run(t, ""), "closed": closed,
	})
	for _, tc := range []struct {
		method, path string
		status       int
		want         string // part of the body
	}{
		{"GET", "/", 200, `{"backend":"none","closed":"none","openai":"none"}`},
		{"POST", "/backend/refuse", 200, `{"fault":"refuse","server":"backend"}`},
		{"POST", "/openai/503-chunked", 200, `{"fault":"503-chunked","server":"openai"}`},
		{"GET", "/", 200, `{"backend":"refuse","closed":"none","openai":"503-chunked"}`},
		{"POST", "/backend/heal", 200, `{"fault":"none","server":"backend"}`},
		{"POST", "/nobody/500", 404, `unknown server \"nobody\" (known: backend, closed, openai)`},
		{"POST", "/backend/nonsense", 400, `unknown fault \"nonsense\" (known: none, refuse, `},
		{"POST", "/closed/500", 409, `sandbox server closed`},
		{"POST", "/backend", 404, `no such path`},
		{"POST", "/backend/500/x", 404, `no such path`},
		{"POST", "/", 405, `not allowed`},
		{"GET", "/backend/500", 405, `not allowed`},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), tc.method, tc.path, nil)
		h.ServeHTTP(w, r)
		got := seen{status: w.Code, header: w.Header(), body: w.Body.String()}
		if got.status != tc.status || !strings.Contains(got.body, tc.want) {
			t.Errorf("%s %s: got %d %s, want %d %s", tc.method, tc.path, got.status, got.body, tc.status, tc.want)
		}
		if o := got.object(t); tc.status >= 400 && o["error"] == nil || (got.header.Get("Allow") != "") != (tc.status == 405) {
			t.Errorf("%s %s: got %s, Allow %q", tc.method, tc.path, got.body, got.header.Get("Allow"))
		}
	}
}
