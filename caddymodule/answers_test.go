package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Every answer of the table: status, headers, and a body of three strings.
func TestAnswers(t *testing.T) {
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			s := c.start(t)
			a := c.ask(s, "X-Request-Id: req-1")
			if a.Status != c.status || a.Provider() != c.provider || a.Reason() != c.reason {
				t.Fatalf("got %d from %q because %q, want %d from %q because %q: %s",
					a.Status, a.Provider(), a.Reason(), c.status, c.provider, c.reason, a.Raw)
			}
			once(t, a, "Content-Type", "application/json")
			once(t, a, "Cache-Control", "no-store")
			once(t, a, "X-Request-Id", "req-1")
			checkRetryAfter(t, a, c.retryAfter)
			allow := ""
			if c.status == http.StatusMethodNotAllowed {
				allow = "POST, OPTIONS"
			}
			once(t, a, "Allow", allow)
			switch {
			case c.method == http.MethodHead:
				if a.Raw != "" {
					t.Errorf("HEAD got the body %s", a.Raw)
				}
			case c.code == "":
				checkSession(t, a)
			default:
				checkError(t, a, c.code)
			}
		})
	}
}

func checkRetryAfter(t *testing.T, a answer, want string) {
	t.Helper()
	about, ok := strings.CutPrefix(want, "about ")
	if !ok {
		once(t, a, "Retry-After", want)
		return
	}
	centre, _ := strconv.Atoi(about)
	if got, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || got < centre*8/10 || got > centre*11/10 {
		t.Errorf("Retry-After is %q, want %s", a.Header.Get("Retry-After"), want)
	}
}

func checkSession(t *testing.T, a answer) {
	t.Helper()
	if secret, ok := a.Body["client_secret"].(string); !ok || secret == "" {
		t.Errorf("no client_secret: %s", a.Raw)
	}
	if a.Body["provider"] != a.Provider() {
		t.Errorf("provider is %v, want %s", a.Body["provider"], a.Provider())
	}
	expires, _ := a.Body["expires_at"].(string)
	if end, err := time.Parse(time.RFC3339, expires); err != nil || !strings.HasSuffix(expires, "Z") || time.Until(end) <= 0 {
		t.Errorf("expires_at is %q, want a time to come in UTC", expires)
	}
}

func checkError(t *testing.T, a answer, code string) {
	t.Helper()
	if a.Body["code"] != code || len(a.Body) != 3 {
		t.Errorf("got %s, want error, code %s and details", a.Raw, code)
	}
	for _, field := range []string{"error", "details"} {
		if text, ok := a.Body[field].(string); !ok || text == "" {
			t.Errorf("%s is %v, want a sentence", field, a.Body[field])
		}
	}
}

// What a backend sends and what the front end gets of it.
func TestSessionShape(t *testing.T) {
	at := func(expiry, want string) [2]string {
		return [2]string{`{"session_id":"s","expires_at":` + expiry + `}`, `{"client_secret":"s","expires_at":"` + want + `","provider":"backend"}`}
	}
	const bare = `{"client_secret":"s","provider":"backend"}`
	tests := map[string][2]string{
		"secret only":           {`{"session_id":"s"}`, bare},
		"client_secret":         {`{"client_secret":"s"}`, bare},
		"both":                  {`{"client_secret":"s","session_id":7}`, bare},
		"all fields":            {`{"session_id":"s","model":"m","metadata":{"a":[1]},"expires_at":null}`, `{"client_secret":"s","model":"m","metadata":{"a":[1]},"provider":"backend"}`},
		"fields of its own":     {`{"session_id":"s","provider":"evil","user_id":"u","code":"X"}`, bare},
		"nulls":                 {`{"session_id":"s","model":null,"metadata":null}`, bare},
		"other types":           {`{"session_id":"s","model":5,"metadata":[1]}`, bare},
		"markup and emoji":      {`{"session_id":"<s>&\u2028😀"}`, `{"client_secret":"<s>&\u2028😀","provider":"backend"}`},
		"ISO":                   at(`"2099-11-20T20:00:00Z"`, "2099-11-20T20:00:00Z"),
		"ISO with a zone":       at(`"2099-11-20T22:30:00+02:30"`, "2099-11-20T20:00:00Z"),
		"ISO with fractions":    at(`"2099-11-20T20:00:00.999999Z"`, "2099-11-20T20:00:00Z"),
		"ISO without a zone":    at(`"2099-11-20T20:00:00.123456"`, "2099-11-20T20:00:00Z"),
		"unix seconds":          at(`4098888000`, "2099-11-20T20:00:00Z"),
		"unix seconds, text":    at(`"4098888000"`, "2099-11-20T20:00:00Z"),
		"unix seconds, float":   at(`4098888000.5`, "2099-11-20T20:00:00Z"),
		"unix milliseconds":     at(`4098888000000`, "2099-11-20T20:00:00Z"),
		"expiry is garbage":     {`{"session_id":"s","expires_at":"soon"}`, bare},
		"expiry is 0":           {`{"session_id":"s","expires_at":0}`, bare},
		"expiry is an object":   {`{"session_id":"s","expires_at":{}}`, bare},
		"expiry is far too far": {`{"session_id":"s","expires_at":1e30}`, bare},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, inFront(testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt[0]) }), ""))
			a := s.Session()
			if a.Status != http.StatusOK {
				t.Fatalf("got %d: %s", a.Status, a.Raw)
			}
			if want := object(t, []byte(tt[1])); !reflect.DeepEqual(object(t, []byte(a.Raw)), want) {
				t.Errorf("got %s, want %s", a.Raw, tt[1])
			}
		})
	}
}

// Nothing of what an upstream says on an error reaches the client.
func TestUpstreamErrorsStayInside(t *testing.T) {
	const marker = "marker-of-upstream"
	for _, status := range []int{200, 204, 301, 400, 401, 403, 404, 409, 418, 422, 429, 451, 500, 502, 503, 599} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range []string{"Set-Cookie", "Server", "Location", "Www-Authenticate", "X-Own", "Retry-After", "Access-Control-Allow-Origin"} {
					w.Header().Set(name, marker)
				}
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"error":%q,"detail":%q,"details":%q}`, marker, marker, marker)
			})
			s := newSite(t, inFront(url, ""))
			a := s.Session()
			if a.Status < 400 {
				t.Errorf("got %d: %s", a.Status, a.Raw)
			}
			code, _ := a.Body["code"].(string)
			checkError(t, a, code)
			if strings.Contains(a.Raw+fmt.Sprint(a.Header), marker) {
				t.Errorf("upstream text in %s %v", a.Raw, a.Header)
			}
			s.AwaitLogged("access.log", "/api/custom/session")
			if lines := s.Logged("caddy.log", marker); len(lines) != 0 {
				t.Errorf("upstream text in the log: %q", lines)
			}
		})
	}
}

// The request id is the client's where it is sane, and the same everywhere.
func TestRequestID(t *testing.T) {
	newID := strings.Repeat("#", 32) // stands for 32 hexadecimal digits
	tests := []struct{ name, sent, want string }{
		{"none", "", newID},
		{"sane", "a-Z_0.9:/+=", "a-Z_0.9:/+="},
		{"UUID", visitorID, visitorID},
		{"longest", strings.Repeat("x", 128), strings.Repeat("x", 128)},
		{"too long", strings.Repeat("x", 129), newID},
		{"spaces", "a b", newID},
		{"quotes", `a"b`, newID},
		{"markup", "<script>", newID},
		{"umlaut", "ü", newID},
		{"encoded newline", "a%0d%0ab", newID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, visitor)
			testsite.Set(t, s.Backend, "500")
			a := s.Post("/api/custom/session", "", "X-Request-Id: "+tt.sent)
			got := a.Header.Get("X-Request-Id")
			if tt.want != newID && got != tt.want || tt.want == newID && (len(got) != 32 || strings.Trim(got, "0123456789abcdef") != "") {
				t.Errorf("got id %q, want %q", got, tt.want)
			}
			for _, r := range slices.Concat(s.Backend.Requests(), s.OpenAI.Requests()) {
				if up := r.Header.Values("X-Request-Id"); len(up) != 1 || up[0] != got {
					t.Errorf("sent upstream: %q, want %q", up, got)
				}
			}
			if got := len(s.AwaitLogged("access.log", `"chatkit_request_id":"`+got+`"`)); got != 1 {
				t.Errorf("the id is in %d lines of the access log", got)
			}
		})
	}
}

// Odd answers that a backend gives: what can be used is, what is over is not.
func TestOddAnswers(t *testing.T) {
	for _, tt := range []struct{ name, answer, provider, want string }{
		{"byte order mark", "\ufeff{\"session_id\":\"s\"}", "backend", `{"client_secret":"s","provider":"backend"}`},
		{
			"invalid UTF-8 in the metadata", "{\"session_id\":\"s\",\"metadata\":{\"a\":\"b\xff\"}}", "backend",
			`{"client_secret":"s","metadata":{"a":"b` + "\ufffd" + `"},"provider":"backend"}`,
		},
		{"invalid UTF-8 in the secret", "{\"session_id\":\"s\xff\"}", "openai", ""},
		{"lone surrogate in the secret", `{"session_id":"s\ud800"}`, "openai", ""},
		{"blank secret", `{"session_id":"  "}`, "openai", ""},
		{
			"PostgreSQL's time", `{"session_id":"s","expires_at":"2999-01-01 02:00:00+02"}`, "backend",
			`{"client_secret":"s","expires_at":"2999-01-01T00:00:00Z","provider":"backend"}`,
		},
		{"over by PostgreSQL", `{"session_id":"s","expires_at":"2020-01-01 00:00:00+00"}`, "openai", ""},
		{"over by RFC 1123", `{"session_id":"s","expires_at":"Wed, 01 Jan 2020 00:00:00 GMT"}`, "openai", ""},
		{"over by UTC", `{"session_id":"s","expires_at":"2020-01-01 00:00:00 UTC"}`, "openai", ""},
		{"over in small letters", `{"session_id":"s","expires_at":"2020-01-01t00:00:00z"}`, "openai", ""},
		{"over in microseconds", `{"session_id":"s","expires_at":1577836800000000}`, "openai", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.answer) })
			a := newSite(t, inFront(url, "")+openaiOnly).Session()
			if a.Status != http.StatusOK || a.Provider() != tt.provider || tt.want != "" && a.Raw != tt.want {
				t.Errorf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
			}
			if tt.provider == "openai" && a.Reason() != "invalid_response" {
				t.Errorf("got reason %q", a.Reason())
			}
		})
	}
}
