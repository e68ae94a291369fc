package caddymodule_test

import (
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// secure is a configuration with the site on HTTPS.
func (s *site) secure(block string) string {
	s.T.Helper()
	return strings.Replace(s.SecureCaddyfile(block),
		"auto_https off", "auto_https off\n servers {\n packet_conn_wrappers {\n orderly\n }\n }", 1)
}

// protocols are transports for one version of HTTP each.
var protocols = map[string]func() http.RoundTripper{
	"HTTP/1.1": func() http.RoundTripper {
		var only http.Protocols
		only.SetHTTP1(true)
		return &http.Transport{TLSClientConfig: trustAll(), Protocols: &only, DisableCompression: true}
	},
	"HTTP/2.0": func() http.RoundTripper {
		return &http.Transport{TLSClientConfig: trustAll(), ForceAttemptHTTP2: true, DisableCompression: true}
	},
}

func trustAll() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// boastful is a backend that sets every header that is ours to set, and some of
// its own.
func boastful(contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Access-Control-Allow-Origin": "https://backend.example.com", "Access-Control-Allow-Credentials": "false",
			"Access-Control-Expose-Headers": "X-Backend", "Access-Control-Max-Age": "7", "Access-Control-Allow-Private-Network": "true",
			"X-Request-Id": "backend", "X-Chatkit-Provider": "backend", "X-Chatkit-Fallback-Reason": "none",
			"Cache-Control": "max-age=60", "X-Accel-Buffering": "yes", "Content-Type": contentType,
			"Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5", "X-Own": "own", "Server": "backend",
			"Vary": "Origin",
		} {
			w.Header().Set(name, value)
		}
		w.Header()["Set-Cookie"] = []string{"a=1; HttpOnly", "b=2"}
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
	}
}

// checkHeaders compares the whole set of headers. Alt-Svc and Date are Caddy's.
func checkHeaders(t *testing.T, got http.Header, want map[string][]string) {
	t.Helper()
	got = got.Clone()
	got.Del("Alt-Svc")
	got.Del("Date")
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s is %q, want %q", name, got[name], want[name])
		}
	}
	for name := range want {
		if got[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// eventStream is the set of headers of an event stream of boastful's.
func eventStream(more map[string][]string) map[string][]string {
	all := map[string][]string{
		"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Expose-Headers": {"Retry-After, X-Request-Id, X-Chatkit-Provider, X-Chatkit-Fallback-Reason"},
		"Content-Type":                  {"text/event-stream"}, "Cache-Control": {"no-cache"}, "X-Accel-Buffering": {"no"},
		"X-Chatkit-Provider": {"a"}, "X-Request-Id": {"mine"}, "Set-Cookie": {"a=1; HttpOnly", "b=2"}, "X-Own": {"own"},
		"Via": {"1.1 Caddy"}, "Server": {"backend"}, "Vary": {"Origin"},
	}
	maps.Copy(all, more)
	return all
}

// The headers of an event stream, all of them, in each version of HTTP.
func TestEventStreamHeaders(t *testing.T) {
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, boastful("text/event-stream; charset=utf-8"))
	s.LoadText(s.secure(testsite.Backends("", url)))
	for version, transport := range protocols {
		t.Run(version, func(t *testing.T) {
			s.Client.CloseIdleConnections()
			s.Client.Transport = transport()
			want := eventStream(nil)
			if version == "HTTP/1.1" {
				want = eventStream(map[string][]string{"Connection": {"keep-alive"}})
			}
			resp := s.Open("X-Request-Id: mine", "Origin: https://app.example.com")
			if resp.Proto != version {
				t.Errorf("the answer came over %s", resp.Proto)
			}
			checkHeaders(t, resp.Header, want)
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "data: 1\n\n" {
				t.Errorf("got %q and %v", got, err)
			}
		})
	}
}

// With an allowlist the origin is echoed, and the backend's own headers are
// replaced all the same.
func TestEventStreamForAnAllowedOrigin(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, boastful("text/event-stream"))
	s.Load(testsite.Backends("cors {\n origins https://app.example.com\n }", b.URL))
	want := eventStream(map[string][]string{"Access-Control-Allow-Origin": {"https://app.example.com"}, "Connection": {"keep-alive"}})
	checkHeaders(t, s.Stream("X-Request-Id: mine", "Origin: https://app.example.com").Header, want)
	got := s.Stream("Origin: https://evil.example.com")
	checkError(t, got, "FORBIDDEN_ORIGIN")
	if got.Status != http.StatusForbidden || len(b.Received()) != 1 {
		t.Errorf("got %d, and the backend was asked %d times", got.Status, len(b.Received()))
	}
}

// What is no event stream keeps its type and its own caching.
func TestOtherAnswersKeepTheirType(t *testing.T) {
	for _, contentType := range []string{"application/json", "text/html; charset=utf-8", "text/event-streams", "application/x-ndjson"} {
		t.Run(contentType, func(t *testing.T) {
			s := newSite(t, testsite.Backends("", testsite.OwnBackend(t, boastful(contentType))))
			want := eventStream(map[string][]string{
				"Content-Type": {contentType}, "Cache-Control": {"max-age=60"}, "X-Accel-Buffering": {"yes"},
			})
			checkHeaders(t, s.Stream("X-Request-Id: mine", "Origin: https://app.example.com").Header, want)
		})
	}
}

// The backend gets the id of a request, whatever the client wants removed.
func TestRequestIDReachesTheBackend(t *testing.T) {
	for _, connection := range []string{"keep-alive", "X-Request-Id", "x-request-id, keep-alive"} {
		t.Run(connection, func(t *testing.T) {
			k := testsite.NewTaker(t, nil)
			s := newSite(t, inFront(k.URL, ""))
			got := testsite.ParseAnswer(t, s.Raw("POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: mine\r\nConnection: "+connection+
				"\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"))
			if id := k.Only(t).Header.Get("X-Request-Id"); got.Status != 200 || id != "mine" || got.Header.Get("X-Request-Id") != id {
				t.Errorf("got %d, the backend has id %q, the client %q", got.Status, id, got.Header.Get("X-Request-Id"))
			}
		})
	}
}
