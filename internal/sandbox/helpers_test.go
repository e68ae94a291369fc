package sandbox_test

import (
	"encoding/json"
	"io"
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
	slowForTests = 30 * time.Millisecond

	backendPath  = "/api/sessions"
	streamPath   = "/api/chat/stream"
	openAIPath   = "/v1/chatkit/sessions"
	usersPath    = "/v3/users"
	sendbirdPath = usersPath + "/u1/token"

	backendBody = `{"user_id":"u1","model":"m1"}`
	streamBody  = `{"message":"hällo"}`
	openAIBody  = `{"user":"u1","workflow":{"id":"wf_1"}}`
)

// kind is one of the simulators, with a request that it accepts.
type kind struct {
	name       string
	start      func(sandbox.Options) (*sandbox.Server, error)
	path, body string
	secret     string // name of the field
	fields     int    // of the answer
	lifetime   time.Duration
	slowBy     time.Duration
}

var (
	backend  = kind{"backend", sandbox.NewBackend, backendPath, backendBody, "session_id", 3, time.Hour, slowForTests}
	stream   = kind{"stream", sandbox.NewBackend, streamPath, streamBody, "", 0, 0, slowForTests}
	openAI   = kind{"openai", sandbox.NewOpenAI, openAIPath, openAIBody, "client_secret", 10, 10 * time.Minute, slowForTests}
	sendbird = kind{"sendbird", sandbox.NewSendbird, sendbirdPath, "", "token", 2, 7 * 24 * time.Hour, slowForTests}

	kinds = []kind{backend, openAI, sendbird}
)

// run starts the server and closes it with the test.
func (k kind) run(tb testing.TB, key string) *sandbox.Server {
	tb.Helper()
	s, err := k.start(sandbox.Options{
		Key: key, SlowBy: k.slowBy, Users: []string{"u1", "a/b@ü", ".."}, Deactivated: []string{"gone"},
	})
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
	tr := &http.Transport{}
	tb.Cleanup(tr.CloseIdleConnections)
	return &http.Client{
		Transport:     tr,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newRequest returns a POST with every header that any simulator requires.
// A change is "Name: value"; without a value it removes the header.
func newRequest(tb testing.TB, url, body string, changes ...string) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + testKey},
		"Openai-Beta": {"chatkit_beta=v1"}, "Api-Token": {testKey},
	}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, ": ")
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	return r
}

// ask sends a valid request of the kind.
func (k kind) ask(tb testing.TB, c *http.Client, s *sandbox.Server) seen {
	tb.Helper()
	return do(c, newRequest(tb, s.URL()+k.path, k.body))
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
		t.Fatalf("body %.200q (%v): %v", s.body, s.err, err)
	}
	return v
}

// set switches the fault.
func set(tb testing.TB, s *sandbox.Server, f sandbox.Fault) {
	tb.Helper()
	if err := s.Set(f); err != nil || s.Fault() != f {
		tb.Fatalf("set %s: %v, fault is %s", f, err, s.Fault())
	}
}

// wantEnd checks an expires_at, to ten seconds: RFC 3339, unix seconds, or
// milliseconds.
func wantEnd(t *testing.T, v any, in time.Duration) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text(v))
	if n, ok := v.(json.Number); ok {
		var unix int64
		if unix, err = n.Int64(); unix > 1e12 {
			unix /= 1000
		}
		at = time.Unix(unix, 0)
	}
	if err != nil || (time.Until(at)-in).Abs() > 10*time.Second {
		t.Errorf("expires_at %v (%v), want in %s", v, err, in)
	}
}

// text is a decoded string or number as text, "" for anything else.
func text(v any) string {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	s, _ := v.(string)
	return s
}
