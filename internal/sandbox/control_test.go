package sandbox_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// call asks the handler directly.
func call(h http.Handler, method, path string) seen {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), method, "http://control.example/", http.NoBody)
	r.URL.Path = path
	h.ServeHTTP(w, r)
	return seen{status: w.Code, header: w.Header(), body: strings.TrimSpace(w.Body.String())}
}

// steps are done in order, on servers named backend, openai, closed and nil.
var steps = []struct {
	method, path string
	status       int
	want         string // part of the body
}{
	{"GET", "/", 200, `{"backend":"none","closed":"none","openai":"none"}`},
	{"POST", "/backend/refuse", 200, `{"fault":"refuse","server":"backend"}`},
	{"POST", "/openai/503-chunked", 200, `{"fault":"503-chunked","server":"openai"}`},
	{"GET", "", 200, `{"backend":"refuse","closed":"none","openai":"503-chunked"}`},
	{"POST", "/backend/heal", 200, `{"fault":"none","server":"backend"}`},
	{"POST", "/openai/none", 200, `{"fault":"none","server":"openai"}`},
	{"GET", "/", 200, `{"backend":"none","closed":"none","openai":"none"}`},
	{"POST", "/nobody/500", 404, `unknown server \"nobody\" (known: backend, closed, openai)`},
	{"POST", "/nil/500", 404, `unknown server`},
	{"POST", "/backend/nonsense", 400, `unknown fault \"nonsense\" (known: none, refuse, `},
	{"POST", "/backend/", 400, `unknown fault \"\"`},
	{"POST", "/closed/500", 409, `sandbox server closed`},
	{"POST", "/backend", 404, `no such path`},
	{"POST", "/backend/500/x", 404, `no such path`},
	{"POST", "/", 405, `not allowed`},
	{"GET", "/backend/500", 405, `not allowed`},
}

func TestControl(t *testing.T) {
	closed := kinds[0].run(t, sandbox.Options{})
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	h := sandbox.Control(map[string]*sandbox.Server{
		"backend": kinds[0].run(t, sandbox.Options{}), "openai": kinds[1].run(t, sandbox.Options{}),
		"closed": closed, "nil": nil,
	})
	for _, st := range steps {
		t.Run(st.method+" "+st.path, func(t *testing.T) {
			got := call(h, st.method, st.path)
			if got.status != st.status || !strings.Contains(got.body, st.want) {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, st.status, st.want)
			}
			if o := got.object(t); st.status >= 400 && o["error"] == nil {
				t.Errorf("no error in %s", got.body)
			}
			if allow := got.header.Get("Allow"); (allow != "") != (st.status == 405) {
				t.Errorf("Allow %q with %d", allow, got.status)
			}
		})
	}
}

func TestControlOfNothing(t *testing.T) {
	if got := call(sandbox.Control(nil), "GET", "/"); got.status != 200 || got.body != "{}" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
