package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestPathsAndMethods(t *testing.T) {
	cases := []struct {
		kind           int
		method, path   string
		status         int
		allow, bodyHas string
	}{
		{0, "GET", "/health", 200, "", `{"status":"ok"}`},
		{0, "POST", "/health", 405, "GET", `"detail"`},
		{0, "GET", backendPath, 405, "POST", `"detail"`},
		{0, "GET", streamPath, 405, "POST", `"detail"`},
		{0, "POST", "/", 404, "", `{"detail":"Not Found"}`},
		{0, "POST", backendPath + "/x", 404, "", `"detail"`},
		{1, "GET", openAIPath, 405, "POST", `"error"`},
		{1, "GET", openAIPath + "/cksess_1/cancel", 405, "POST", `"error"`},
		{1, "POST", openAIPath + "/cksess_1", 404, "", `"error"`},
		{1, "POST", openAIPath + "//cancel", 404, "", `"error"`},
		{1, "POST", openAIPath + "/a/b/cancel", 404, "", `"error"`},
		{1, "GET", "/health", 404, "", `"error"`},
	}
	for _, tc := range cases {
		t.Run(kinds[tc.kind].name+" "+tc.method+" "+tc.path, func(t *testing.T) {
			s, c := kinds[tc.kind].run(t, sandbox.Options{}), newClient(t)
			r := newRequest(t.Context(), t, s.URL()+tc.path, "")
			r.Method = tc.method
			got := do(c, r)
			if got.status != tc.status || got.header.Get("Allow") != tc.allow || !strings.Contains(got.body, tc.bodyHas) {
				t.Errorf("got %d, Allow %q, %s", got.status, got.header.Get("Allow"), got.body)
			}
			if s.Calls() != 0 {
				t.Errorf("counted as a session request")
			}
		})
	}
}

// /health fails with faults of the process, not with those of sessions.
func TestHealthUnderFaults(t *testing.T) {
	down := map[sandbox.Fault]bool{sandbox.Refuse: true, sandbox.Reset: true, sandbox.Garbage: true}
	s, c := kinds[0].run(t, sandbox.Options{Key: testKey}), newClient(t)
	for _, f := range sandbox.Faults() {
		if f == sandbox.Hang {
			continue // as TestHang, only without a hook to wait for
		}
		t.Run(string(f), func(t *testing.T) {
			set(t, s, f)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/health", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			got := do(c, r)
			if up := got.err == nil && got.body == `{"status":"ok"}`; up == down[f] {
				t.Errorf("status %d %q (%v)", got.status, got.body, got.err)
			}
			if s.Calls() != 0 || len(s.Issued()) != 0 {
				t.Errorf("calls %d, issued %v", s.Calls(), s.Issued())
			}
		})
	}
}
