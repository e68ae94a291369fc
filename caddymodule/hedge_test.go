package caddymodule_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// warm asks for as many sessions as it takes to have one hedged.
func warm(t *testing.T, s *site) {
	t.Helper()
	for range 9 {
		s.Session().Is(t, "200 a")
	}
}

// What the client gets, and what the backends and the metrics say afterwards.
func TestHedgedRequest(t *testing.T) {
	const slow = 500 * time.Millisecond
	for name, c := range map[string]struct {
		a, b     func(int) (time.Duration, int)
		answer   string
		canceled [2]string
		asked    [2]int
		result   string
		outcomes [2]string // of the last attempts
	}{
		"the second serves": {then(9, slow, 200), always(0), "200 b hedge", [2]string{"a-9", ""}, [2]int{10, 1}, "won", [2]string{"ok", "ok"}},
		"the first serves":  {then(9, slow, 200), always(2 * slow), "200 a", [2]string{"", "b-0"}, [2]int{10, 1}, "lost", [2]string{"ok", "ok"}},
		"the first refuses": {then(9, slow, 403), always(2 * slow), "403 a", [2]string{"", "b-0"}, [2]int{10, 1}, "lost", [2]string{"rejected", "ok"}},
		"the first refuses too late": {
			then(9, slow, 403), always(0), "200 b hedge", [2]string{"", "b-0"}, [2]int{10, 1}, "refused", [2]string{"rejected", "ok"},
		},
		"the second refuses": {then(9, slow, 200), then(0, 0, 403), "200 a", [2]string{}, [2]int{10, 1}, "failed", [2]string{"ok", "rejected"}},
		"the first fails":    {then(9, slow, 500), always(0), "200 b hedge", [2]string{}, [2]int{10, 1}, "won", [2]string{"status_5xx", "ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newLedger(t, "a", c.a), newLedger(t, "b", c.b)
			s := newSite(t, hedgedBlock(a, b, "100ms"))
			warm(t, s)
			series := []string{
				`hedges_total{provider="a",result="` + c.result + `"}`,
				`attempts_total{provider="a",result="` + c.outcomes[0] + `"}`, `attempts_total{provider="b",result="` + c.outcomes[1] + `"}`,
			}
			before := make([]float64, len(series))
			for i, name := range series {
				before[i] = s.Metric(name)
			}
			got := s.Session()
			got.Is(t, c.answer)
			for i, l := range []*ledger{a, b} {
				l.awaitCanceled(t, strings.Fields(c.canceled[i])...)
				if n := l.asked(); n != c.asked[i] {
					t.Errorf("%s was asked for %d sessions, want %d", l.name, n, c.asked[i])
				}
			}
			for i, name := range series {
				s.Await(name, before[i]+1)
			}
			if got.Provider() == "b" && got.Took > slow/2+100*time.Millisecond {
				t.Errorf("took %s", got.Took)
			}
		})
	}
}

// A session that a caller may not have is carried nowhere any more.
func TestHedgeOfARefusedCallerIsTakenBack(t *testing.T) {
	a, b := newLedger(t, "a", then(9, 500*time.Millisecond, http.StatusForbidden)), newLedger(t, "b", always(0))
	s := newSite(t, hedgedBlock(a, b, "100ms"))
	warm(t, s)
	got := s.Session()
	got.Is(t, "200 b hedge")
	b.awaitCanceled(t, "b-0")
	s.AwaitLogged("caddy.log", "session of a hedge is taken back", `"provider":"a"`, `"served_by":"b"`)
	stream := s.Stream("Authorization: Bearer " + got.Secret())
	if stream.Status != http.StatusUnauthorized || b.asked() != 1 {
		t.Errorf("a stream got %d, and b was asked %d times: %s", stream.Status, b.asked(), stream.Raw)
	}
	if lines := s.Logged("caddy.log", "b-0"); len(lines) > 0 {
		t.Errorf("the session is in the log: %s", lines)
	}
}

// The loser's session is canceled with the provider's own key, and once more where that
// fails. What cannot be canceled is told.
func TestOrphanIsCanceled(t *testing.T) {
	for name, c := range map[string]struct {
		refuse  int
		deletes int
		result  string
	}{
		"at once":         {0, 1, "canceled"},
		"the second time": {1, 2, "canceled"},
		"never":           {2, 2, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newLedger(t, "a", always(400*time.Millisecond))
			a.refuse = c.refuse
			s := newSite(t, testsite.Backends("", a.URL+"\n key k-a\n session_path /v2/sessions?x=1\n cancel on\n timeout 100ms"))
			series := `orphan_sessions_total{provider="a",result="` + c.result + `"}`
			before := s.Metric(series)
			if got := s.Session(); got.Status != http.StatusGatewayTimeout || got.Took > 350*time.Millisecond {
				t.Errorf("got %d after %s", got.Status, got.Took)
			}
			s.Await(series, before+1)
			want := slices.Repeat([]string{"Bearer k-a /v2/sessions/a-0?x=1"}, c.deletes)
			if !slices.Equal(a.deletes, want) || a.asked() != 1 {
				t.Errorf("got %q after %d sessions, want %q", a.deletes, a.asked(), want)
			}
			if lines := s.Logged("caddy.log", "orphan session was not canceled"); (len(lines) > 0) != (c.result == "failed") {
				t.Errorf("logged %s", lines)
			}
		})
	}
}

// Without cancel an attempt ends with its time limit, and the backend sees that.
func TestLateAnswerWithoutCancel(t *testing.T) {
	left := make(chan struct{})
	url := testsite.OwnBackend(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http notices a loss only then
		<-r.Context().Done()
		close(left)
	})
	s := newSite(t, testsite.Backends("", url+"\n timeout 100ms"))
	if got := s.Session(); got.Status != http.StatusGatewayTimeout {
		t.Errorf("got %d", got.Status)
	}
	testsite.Receive(t, left)
}

// openAIWith starts an API that makes a session after d, and keeps what is canceled.
func openAIWith(t *testing.T, d time.Duration) (url string, canceled func() []string) {
	t.Helper()
	var mu sync.Mutex
	var ids []string
	url = testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutSuffix(r.URL.Path, "/cancel"); ok {
			mu.Lock()
			ids = append(ids, id)
			mu.Unlock()
			_, _ = w.Write([]byte(`{"id":"cksess_1","object":"chatkit.session","status":"cancelled"}`))
			return
		}
		time.Sleep(d)
		_, _ = w.Write([]byte(`{"id":"cksess_1","object":"chatkit.session","client_secret":"ek_1"}`))
	})
	return url, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(ids)
	}
}

// With cancel the late sessions of OpenAI are canceled, and without it those that lose a
// hedge.
func TestOrphanAtOpenAI(t *testing.T) {
	for name, c := range map[string]struct {
		options string
		hedged  bool
		want    string
	}{
		"late":          {"cancel on\n timeout 100ms", false, "504"},
		"loses a hedge": {"", true, "200 a"},
	} {
		t.Run(name, func(t *testing.T) {
			api, canceled := openAIWith(t, 400*time.Millisecond)
			block := "\n anonymous"
			if c.hedged {
				a := newLedger(t, "a", then(9, 200*time.Millisecond, http.StatusOK))
				block = testsite.Backends("", a.URL+"\n cancel on\n hedge 100ms")
			}
			s := newSite(t, block+"\n provider openai {\n base_url "+api+"/v1\n key k\n workflow wf\n retries 0\n "+c.options+"\n }")
			const series = `orphan_sessions_total{provider="openai",result="canceled"}`
			before := s.Metric(series)
			if c.hedged {
				warm(t, s)
			}
			s.Session().Is(t, c.want)
			s.Await(series, before+1)
			if got := canceled(); !slices.Equal(got, []string{"/v1/chatkit/sessions/cksess_1"}) {
				t.Errorf("canceled %q", got)
			}
		})
	}
}

// The schedule of retries is in seconds of the clock.
func TestRetrySchedule(t *testing.T) {
	var mu sync.Mutex
	var at []time.Time
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	s := newSite(t, strings.Replace(testsite.Backends("", url), "retries 0", "retries 3 1s", 1))
	if got := s.Session(); got.Status != http.StatusBadGateway || got.Took < 7*time.Second || got.Took > 9*time.Second {
		t.Errorf("got %d after %s", got.Status, got.Took)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(at) != 4 {
		t.Fatalf("asked %d times", len(at))
	}
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if wait := at[i+1].Sub(at[i]); wait < want || wait > want+want/4+200*time.Millisecond {
			t.Errorf("waited %s before retry %d, want %s", wait, i+1, want)
		}
	}
}

// Who hedges sees it in the status.
func TestHedgeInTheStatus(t *testing.T) {
	a, b := newLedger(t, "a", always(0)), newLedger(t, "b", always(0))
	s := newSite(t, hedgedBlock(a, b, "p95"))
	if got := s.Get(s.Admin + "/chatkit/providers"); !strings.Contains(got, `"hedge":{"share":0}`) {
		t.Errorf("without answers: %s", got)
	}
	for range 20 {
		s.Session().Is(t, "200 a")
	}
	time.Sleep(150 * time.Millisecond) // a percentile is kept for a moment
	got := s.Get(s.Admin + "/chatkit/providers")
	if strings.Count(got, `"hedge"`) != 1 || !strings.Contains(got, `"hedge":{"after":0.0`) {
		t.Errorf("with answers: %s", got)
	}
}
