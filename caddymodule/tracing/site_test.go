package tracing_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// clients is the trace of a client, whose span is the parent of Caddy's.
const (
	clients = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsured = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// The trace of a fallback: a span for each attempt, below Caddy's, and each provider
// gets the context of its own.
func TestFallback(t *testing.T) {
	s := traced(t, testsite.TwoProviders)
	testsite.Set(t, s.Backend, sandbox.Status500)
	s.Session(clients).Is(t, "200 openai status_5xx")
	got := spans(t, 3)
	root, backend, openai := got["handler"][0], got["attempt backend"][0], got["attempt openai"][0]
	below(t, root, backend, openai)
	if root.Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("Caddy's span is below %s", root.Parent.SpanID())
	}
	says(t, "Caddy's span", root.Attributes,
		"http.response.status_code=200", "outcome=fallback", "provider=openai", "reason=status_5xx", "route=session")
	says(t, "the first", backend.Attributes, "error.type=status_5xx", "hedge=false", "http.response.status_code=500",
		"provider=backend", "reason=status_5xx", "route=session", "try=1")
	says(t, "the second", openai.Attributes, "hedge=false", "http.response.status_code=200", "provider=openai", "route=session", "try=1")
	if backend.Status.Code != codes.Error || backend.Status.Description != "status_5xx" || openai.Status.Code != codes.Unset {
		t.Errorf("the attempts are %v and %v", backend.Status, openai.Status)
	}
	for _, c := range []struct{ got, want string }{
		{s.Backend.Requests()[0].Header.Get("Traceparent"), traceparent(backend)},
		{s.OpenAI.Requests()[0].Header.Get("Traceparent"), traceparent(openai)},
	} {
		if c.got != c.want {
			t.Errorf("the provider got %q, want %q", c.got, c.want)
		}
	}
}

// Who is asked again, and who is not asked at all.
func TestRetriesAndSkips(t *testing.T) {
	s := traced(t, strings.Replace(testsite.TwoProviders, "retries 0", "retries 1\n breaker {\n consecutive 2\n }", 1))
	testsite.Set(t, s.Backend, sandbox.Status503)
	s.Session().Is(t, "200 openai status_5xx")
	got := spans(t, 4)
	says(t, "the second try", got["attempt backend"][1].Attributes, "error.type=status_5xx", "hedge=false", "http.response.status_code=503",
		"provider=backend", "reason=status_5xx", "route=session", "try=2")
	exported.Load().Reset()
	s.Session().Is(t, "200 openai open")
	got = spans(t, 2)
	if e := events(got["handler"][0]); !slices.Equal(e, []string{"provider skipped backend open"}) {
		t.Errorf("Caddy's span has %q", e)
	}
}

// A refusal is the caller's, so the attempt is no error.
func TestRefusal(t *testing.T) {
	s := traced(t, testsite.TwoProviders)
	testsite.Set(t, s.Backend, sandbox.Status422)
	if a := s.Session(); a.Status != 422 {
		t.Errorf("got %d", a.Status)
	}
	got := spans(t, 2)
	says(t, "the attempt", got["attempt backend"][0].Attributes, "hedge=false", "http.response.status_code=422",
		"provider=backend", "reason=rejected", "route=session", "try=1")
	if c := got["attempt backend"][0].Status.Code; c != codes.Unset {
		t.Errorf("the attempt is %v", c)
	}
}

// A carried request goes on below the span of its own attempt, with the client's
// baggage.
func TestCarried(t *testing.T) {
	down := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	k := testsite.NewTaker(t, nil)
	s := traced(t, testsite.Backends("failover any", down, k.URL))
	if a := s.Stream(clients, "baggage: cart=full", "tracestate: v=1"); a.Status != http.StatusOK {
		t.Fatalf("got %d %s", a.Status, a.Raw)
	}
	got := spans(t, 3)
	root, a, b := got["handler"][0], got["attempt a"][0], got["attempt b"][0]
	below(t, root, a, b)
	says(t, "Caddy's span", root.Attributes, "http.response.status_code=200", "outcome=ok", "provider=b", "reason=status_5xx", "route=stream")
	says(t, "the first", a.Attributes, "error.type=status_5xx", "hedge=false", "http.response.status_code=503",
		"provider=a", "reason=status_5xx", "route=stream", "try=1")
	h := k.Only(t).Header
	if h.Get("Traceparent") != traceparent(b) || len(h["Traceparent"]) != 1 || h.Get("Baggage") != "cart=full" || h.Get("Tracestate") != "v=1" {
		t.Errorf("the backend got %q, want %q", h, traceparent(b))
	}
}

// A hedge is a second attempt at the same time.
func TestHedge(t *testing.T) {
	slow, quick := make(chan struct{}), testsite.NewTaker(t, gives("b"))
	defer close(slow)
	asked := 0
	first := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 10 { // at most a tenth is hedged
			<-slow
		}
		gives("a")(w, r)
	})
	s := traced(t, testsite.Backends("", first+"\n hedge 50ms", quick.URL))
	for range 9 {
		s.Session().Is(t, "200 a")
	}
	spans(t, 18)
	exported.Load().Reset()
	s.Session().Is(t, "200 b hedge")
	got := spans(t, 2)
	below(t, got["handler"][0], got["attempt b"]...)
	says(t, "the hedge", got["attempt b"][0].Attributes, "hedge=true", "http.response.status_code=200", "provider=b", "route=session", "try=1")
	slow <- struct{}{}
	got = spans(t, 3)
	below(t, got["handler"][0], got["attempt a"]...) // which has outlived it
}

// gives answers with a session.
func gives(secret string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"client_secret":"` + secret + `"}`))
	}
}

// Without a trace of Caddy's nothing is added: a carried request has the client's own
// context, as through reverse_proxy, and a session request none.
func TestUntraced(t *testing.T) {
	k := testsite.NewTaker(t, gives("s"))
	s := testsite.New(t, testsite.Backends("", k.URL))
	s.Session(clients).Is(t, "200 a")
	s.Stream(clients)
	got := k.Received()
	if h := got[0].Header.Get("Traceparent"); h != "" {
		t.Errorf("the session request has %q", h)
	}
	if h := got[1].Header.Get("Traceparent"); "traceparent: "+h != clients {
		t.Errorf("the stream has %q", h)
	}
}

// A trace that is not sampled goes on as such.
func TestUnsampled(t *testing.T) {
	k := testsite.NewTaker(t, gives("s"))
	s := traced(t, testsite.Backends("", k.URL))
	s.Session(unsured).Is(t, "200 a")
	s.Stream(unsured)
	for i, r := range k.Received() {
		h := r.Header.Get("Traceparent")
		if !strings.HasPrefix(h, "00-0af7651916cd43dd8448eb211c80319c-") || !strings.HasSuffix(h, "-00") || "traceparent: "+h == unsured {
			t.Errorf("request %d has %q", i, h)
		}
	}
	time.Sleep(50 * time.Millisecond)
	spans(t, 0)
}

// Nothing that is secret gets into a trace, nor who asks.
func TestNoSecrets(t *testing.T) {
	s := traced(t, strings.Replace(testsite.TwoProviders, "anonymous", "user {header.X-User}", 1))
	for _, f := range []sandbox.Fault{sandbox.None, sandbox.Status500, sandbox.Refuse, sandbox.Garbage} {
		testsite.Set(t, s.Backend, f)
		a := s.Post("/api/custom/session?token=planted-query", `{"metadata":{"a":"planted-metadata"}}`,
			"X-User: planted-user", "Authorization: Bearer planted-token", "Cookie: c=planted-cookie")
		if a.Status != http.StatusOK {
			t.Fatalf("got %d %s", a.Status, a.Raw)
		}
		s.Post("/api/custom/stream?token=planted-query", `{"message":"planted-message"}`, "Authorization: Bearer "+a.Secret())
		time.Sleep(50 * time.Millisecond)
		said := text(exported.Load().GetSpans())
		if !strings.Contains(said, "chatkit.provider") {
			t.Fatalf("nothing is traced: %s", said)
		}
		for _, secret := range []string{"planted", a.Secret(), s.Backend.URL(), s.OpenAI.URL()} {
			if strings.Contains(said, secret) {
				t.Errorf("the spans say %q: %s", secret, said)
			}
		}
	}
}

// The path of a WebSocket ends in the secret of its session, which Caddy's own span
// would show.
func TestSecretInPath(t *testing.T) {
	k := testsite.NewTaker(t, nil)
	s := traced(t, testsite.Backends("", k.URL))
	s.Do(http.MethodGet, "/api/ws/chat/planted-secret", "", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	if path := k.Only(t).URL.Path; path != "/ws/chat/planted-secret" {
		t.Errorf("the backend was asked for %s", path)
	}
	got := spans(t, 2)
	if said := text(append(got["handler"], got["attempt a"]...)); strings.Contains(said, "planted") || !strings.Contains(said, "/api/ws/chat/{session}") {
		t.Errorf("the spans say %s", said)
	}
}
