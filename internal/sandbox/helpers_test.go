package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey      = "test-key"
	backendPath  = "/api/sessions"
	backendBody  = `{"user_id":"u1","model":"m1"}`
	openAIPath   = "/v1/chatkit/sessions"
	openAIBody   = `{"user":"u1","workflow":{"id":"wf_1"}}`
	slowForTests = 30 * time.Millisecond
)

// kind is one of the two simulators, with a request that it accepts.
type kind struct {
	name       string
	start      func(sandbox.Options) (*sandbox.Server, error)
	path, body string
	secret     string // name of the field
	lifetime   time.Duration
}

var kinds = []kind{
	{"backend", sandbox.NewBackend, backendPath, backendBody, "session_id", time.Hour},
	{"openai", sandbox.NewOpenAI, openAIPath, openAIBody, "client_secret", 10 * time.Minute},
}

// run starts the server and closes it with the test.
func (k kind) run(tb testing.TB, o sandbox.Options) *sandbox.Server {
	tb.Helper()
	if o.SlowBy == 0 {
		o.SlowBy = slowForTests
	}
	s, err := k.start(o)
	if err != nil {
		tb.Fatalf("start %s: %v", k.name, err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close %s: %v", k.name, err)
		}
	})
	return s
}

// newClient returns a plain client that does not follow redirects and closes its
// connections at the end of the test.
func newClient(tb testing.TB) *http.Client {
	tb.Helper()
	tr := &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
	tb.Cleanup(tr.CloseIdleConnections)
	return &http.Client{
		Transport:     tr,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// seen is what a client saw of one exchange.
type seen struct {
	err     error // no response
	bodyErr error // the response broke off
	status  int
	header  http.Header
	chunked bool
	body    string
}

// padding is what Huge adds. It is taken out before decoding, because a JSON
// decoder under the race detector needs seconds for it.
var padding = strings.Repeat("x", 8<<20)

// decode returns the body as a JSON object, with unparsed numbers.
func (s seen) decode() (v map[string]any, err error) {
	d := json.NewDecoder(strings.NewReader(strings.Replace(s.body, padding, "", 1)))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// object decodes the body, which must be a JSON object.
func (s seen) object(t *testing.T) map[string]any {
	t.Helper()
	v, err := s.decode()
	if err != nil {
		t.Fatalf("body %.200q: %v", s.body, err)
	}
	return v
}

// newRequest returns a session request with every header the simulators require.
func newRequest(ctx context.Context, tb testing.TB, url, body string) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+testKey)
	r.Header.Set("OpenAI-Beta", "chatkit_beta=v1")
	return r
}

// do sends the request and reads the whole answer.
func do(c *http.Client, r *http.Request) seen {
	resp, err := c.Do(r)
	if err != nil {
		return seen{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return seen{
		bodyErr: err, status: resp.StatusCode, header: resp.Header,
		chunked: len(resp.TransferEncoding) > 0, body: string(body),
	}
}

// ask sends a valid request of the kind.
func (k kind) ask(tb testing.TB, c *http.Client, s *sandbox.Server) seen {
	tb.Helper()
	return do(c, newRequest(tb.Context(), tb, s.URL()+k.path, k.body))
}

// set switches the fault.
func set(tb testing.TB, s *sandbox.Server, f sandbox.Fault) {
	tb.Helper()
	if err := s.Set(f); err != nil {
		tb.Fatalf("set %s: %v", f, err)
	}
	if got := s.Fault(); got != f {
		tb.Fatalf("fault is %s after Set(%s)", got, f)
	}
}

// expiry reads expires_at in either of its two forms.
func expiry(t *testing.T, v any) time.Time {
	t.Helper()
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			t.Fatalf("expires_at %v is not an integer", v)
		}
		return time.Unix(n, 0)
	case string:
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			t.Fatalf("expires_at %v: %v", v, err)
		}
		return at
	}
	t.Fatalf("expires_at is %T", v)
	return time.Time{}
}

// near reports whether got is within ten seconds of want.
func near(got, want time.Time) bool { return got.Sub(want).Abs() < 10*time.Second }

// text is a decoded string or number as text, "" for anything else.
func text(v any) string {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	s, _ := v.(string)
	return s
}
