package caddymodule_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// says answers with a status and a text.
func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Own", text)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// Where nobody is left, the client gets the last answer that there was, as it is.
func TestLastAnswerIsPassedOn(t *testing.T) {
	tests := []struct {
		name     string
		options  string
		backends []http.HandlerFunc // nil: nobody listens
		want     string             // status, provider and reason
		logged   string
		asked    []int
	}{
		{"500 of the only one", "", []http.HandlerFunc{says(500, "a")}, "500 a", "status_5xx", []int{1}},
		{"501 of the only one", "", []http.HandlerFunc{says(501, "a")}, "501 a", "misconfigured", []int{1}},
		{"503, then 500", "", []http.HandlerFunc{says(503, "a"), says(500, "b")}, "500 b status_5xx", "status_5xx", []int{1, 1}},
		{"503, then nobody", "", []http.HandlerFunc{says(503, "a"), nil}, "503 a", "status_5xx", []int{1, 0}},
		{"nobody, then 500", "", []http.HandlerFunc{nil, says(500, "b")}, "500 b dial", "dial", []int{0, 1}},
		{"500 stays", "", []http.HandlerFunc{says(500, "a"), says(200, "b")}, "500 a", "status_5xx", []int{1, 0}},
		{"500 moves", "failover any", []http.HandlerFunc{says(500, "a"), says(200, "b")}, "200 b status_5xx", "status_5xx", []int{1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			takers := make([]*testsite.Taker, len(tt.backends))
			urls := make([]string, len(tt.backends))
			for i, h := range tt.backends {
				urls[i] = testsite.Nobody(t)
				if h != nil {
					takers[i] = testsite.NewTaker(t, h)
					urls[i] = takers[i].URL
				}
			}
			s.Load(testsite.Backends(tt.options, urls...))
			failed := s.Metric(streamsFailed)
			a := s.Stream()
			a.Is(t, tt.want)
			if name := a.Provider(); a.Raw != name || a.Header.Get("X-Own") != name || a.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("got %q with %v", a.Raw, a.Header)
			}
			if a.Status >= 500 {
				s.Await(streamsFailed, failed+1)
			}
			s.AwaitLogged("access.log", `"chatkit_provider":"`+a.Provider()+`","chatkit_reason":"`+tt.logged+`"`)
			for i, k := range takers {
				if k != nil && len(k.Received()) != tt.asked[i] {
					t.Errorf("backend %d was asked %d times", i, len(k.Received()))
				}
			}
		})
	}
}

// What a backend tells one caller takes it away from nobody else: not his limit,
// not his mistakes.
func TestRefusalsAreTheCallers(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 405, 408, 409, 413, 422, 425, 429, 451} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newUnloadedSite(t)
			a := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/api/sessions") {
					giveSession(w, r)
					return
				}
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(status)
			})
			b := testsite.NewTaker(t, nil)
			s.Load(testsite.Backends("failover any", a.URL+"\n breaker {\n consecutive 1\n }", b.URL))
			for _, path := range []string{"/api/custom/stream", "/api/custom/message"} {
				got := s.Post(path, "{}")
				got.Is(t, fmt.Sprint(status, " a"))
				once(t, got, "Retry-After", "60")
			}
			s.Session().Is(t, "200 a")
			if len(a.Received()) != 3 || len(b.Received()) != 0 {
				t.Errorf("the backends were asked %d and %d times", len(a.Received()), len(b.Received()))
			}
		})
	}
}

// The operator may name refusals that go on.
func TestRefusalThatGoesOn(t *testing.T) {
	s := newUnloadedSite(t)
	a, b := testsite.NewTaker(t, leaky(429)), testsite.NewTaker(t, nil)
	s.Load(testsite.Backends("", a.URL+"\n fallback_on 429", b.URL))
	s.Stream().Is(t, "200 b status_4xx")
	if len(a.Received()) != 1 || len(b.Received()) != 1 {
		t.Errorf("the backends were asked %d and %d times", len(a.Received()), len(b.Received()))
	}
}

// Trailers pass, announced or not, but for the names that are ours.
func TestTrailers(t *testing.T) {
	ours := []string{"X-Chatkit-Provider", "X-Chatkit-Fallback-Reason", "X-Chatkit-Anything", "X-Request-Id", "Access-Control-Allow-Origin"}
	for name, prefix := range map[string]string{"announced": "", "unannounced": http.TrailerPrefix} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				if prefix == "" {
					h.Set("Trailer", strings.Join(append(ours, "X-Own"), ", "))
				}
				_, _ = io.WriteString(w, "data: 1\n\n")
				_ = http.NewResponseController(w).Flush()
				for _, name := range append(ours, "X-Own") {
					h.Set(prefix+name, "planted")
				}
			})
			s.Load(testsite.Backends("", url))
			resp, err := s.Client.Post(s.URL+"/api/custom/stream", "", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			a, err := testsite.ReadAnswer(resp)
			if err != nil || a.Raw != "data: 1\n\n" {
				t.Errorf("got %q and %v", a.Raw, err)
			}
			if names := slices.Collect(maps.Keys(resp.Trailer)); !slices.Equal(names, []string{"X-Own"}) || resp.Trailer.Get("X-Own") != "planted" {
				t.Errorf("got the trailers %v", resp.Trailer)
			}
			once(t, a, "X-Chatkit-Anything", "")
		})
	}
}

// Trailers of a request pass too, whether its body is kept or sent on.
func TestRequestTrailers(t *testing.T) {
	for _, backends := range []int{1, 2} {
		s := newUnloadedSite(t)
		got := make(chan http.Header, 1)
		url := testsite.OwnBackend(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			got <- r.Trailer
		})
		s.Load(testsite.Backends("", []string{url, url}[:backends]...))
		w := s.Dial()
		w.Send(post + "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n")
		if a, ok := w.Answer(); !ok || a.Status != http.StatusOK {
			t.Errorf("got %d", a.Status)
		}
		if sum := testsite.Receive(t, got).Get("X-Sum"); sum != "42" {
			t.Errorf("%d backends: got %q", backends, sum)
		}
	}
}

// A chatkit request that is too large to be kept gets the event all the same where
// it is answered by a stream.
func TestLargeChatKitRequestWithoutABackend(t *testing.T) {
	s := newUnloadedSite(t)
	dead := testsite.Nobody(t)
	hang := testsite.OwnBackend(t, hangUp)
	for name, urls := range map[string][]string{"dead": {dead}, "two dead": {dead, dead}, "hangs up": {hang}} {
		s.Load(testsite.Backends("chatkit /chatkit\n buffer 64KiB", urls...))
		for body, streams := range map[string]bool{
			`{"type":"threads.create","params":{"text":"%s"}}`:             true,
			`{"metadata":{"a":[1]},"type":"threads.create","params":"%s"}`: true,
			`{"type":"input.transcribe","params":{"audio":"%s"}}`:          false,
			`{"params":{"text":"%s"},"type":"items.list"}`:                 false,
		} {
			for range 2 { // the second time the backends are skipped, maybe
				a := s.Post("/chatkit", fmt.Sprintf(body, pattern(200<<10)))
				if got := a.Raw == errorEvent && a.Status == http.StatusOK; got != streams {
					t.Errorf("%s, %.30s: got %d %q", name, body, a.Status, a.Raw)
				}
			}
		}
	}
}
