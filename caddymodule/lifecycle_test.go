package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// watched is a whole configuration whose changes of breakers go to the keeper, and
// more events.
func (s *site) watched(block string, more ...string) string {
	on := " on chatkit.breaker_changed test_keep\n"
	for _, event := range more {
		on += " on " + event + " test_keep\n"
	}
	return strings.Replace(s.Caddyfile(block), "auto_https off", "auto_https off\n events {\n"+on+" }", 1)
}

// elsewhere is a configuration that logs to another file, and only errors.
func elsewhere(text, file string) string {
	return strings.Replace(strings.Replace(text, "caddy.log", file, 1), "level DEBUG", "level ERROR", 1)
}

// forget drops the events seen so far.
func forget() {
	kept.Lock()
	defer kept.Unlock()
	kept.events = nil
}

// onlyEvents waits for events, and a little longer for any that should not come.
func onlyEvents(t *testing.T, want ...string) {
	t.Helper()
	awaitEvents(t, want...)
	time.Sleep(100 * time.Millisecond)
	awaitEvents(t, want...)
}

// changes are the "breaker changed" lines of a log.
func (s *site) changes(file string) []string {
	s.T.Helper()
	lines := s.Logged(file, `"breaker changed"`)
	all := make([]string, 0, len(lines))
	for _, line := range lines {
		var l struct{ Logger, Provider, From, To, Reason string }
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Logger != "http.handlers.chatkit" {
			s.T.Errorf("got %v from %s", err, line)
		}
		all = append(all, fmt.Sprintf("%s %s->%s %s", l.Provider, l.From, l.To, l.Reason))
	}
	return all
}

// refusal is a configuration that Caddy refuses, and a part of why.
type refusal struct{ name, text, want string }

// broken is a provider whose key is not set.
const broken = "\n provider openai {\n name third\n key {env.TEST_UNSET}\n workflow wf_test\n }"

// refusals are configurations with a block that would be fine by itself. They are
// refused only after its handler was provisioned, but for that of another site:
// Caddy takes sites in any order.
func (s *site) refusals(block string) []refusal {
	s.T.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { _ = l.Close() })
	text := s.watched(block)
	const next = `respond "the app itself`
	return []refusal{
		{"another provider", s.watched(block + broken), "TEST_UNSET"},
		{"another handler", strings.Replace(text, next, "chatkit {\n anonymous"+broken+"\n}\n"+next, 1), "TEST_UNSET"},
		{"another site", text + "\nhttp://two.example.com:8123 {\n chatkit {\n anonymous" + broken + "\n }\n}\n", "TEST_UNSET"},
		{"port in use", text + "\nhttp://" + l.Addr().String() + " {\n respond ok\n}\n", "address already in use"},
	}
}

// refused loads a configuration that has to be refused.
func (s *site) refused(r refusal) {
	s.T.Helper()
	if err := s.TryLoadText(r.text); err == nil || !strings.Contains(err.Error(), r.want) {
		s.T.Fatalf("got %v, want an error with %q", err, r.want)
	}
}

// After a reload that was refused the live configuration has all the events and
// lines, and the refused one has none.
func TestLifecycleRefusedReloadStaysSilent(t *testing.T) {
	block := withBreaker("consecutive 3\n open 1m")
	const fallback = "chatkit.fallback"
	for i, name := range []string{"another provider", "another handler", "another site", "port in use"} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			forget()
			s.LoadText(s.watched(block, fallback))
			s.persistent()
			s.Session()
			r := s.refusals(block)[i]
			r.text = elsewhere(r.text, "refused.log")
			s.refused(r)

			testsite.Set(t, s.Backend, sandbox.Status401)
			s.Session()
			trip(s, 2)
			onlyEvents(t,
				"chatkit.fallback provider=backend served_by=openai reason=misconfigured",
				"chatkit.breaker_changed provider=backend from=closed to=open reason=status_5xx")
			if got := s.changes("caddy.log"); !slices.Equal(got, []string{"backend closed->open status_5xx"}) {
				t.Errorf("the live configuration logged %q", got)
			}
			for _, words := range [][]string{
				{`"fallback"`, `"reason":"misconfigured"`}, {`"fallback"`, `"reason":"status_5xx"`}, {`"provider is misconfigured"`},
			} {
				if got := s.Logged("caddy.log", words...); len(got) != 1 {
					t.Errorf("the live configuration has %d lines with %q, want 1", len(got), words)
				}
			}
			if got := s.Logged("refused.log", "backend"); len(got) != 0 {
				t.Errorf("the refused configuration logged %q", got)
			}
		})
	}
}

// After a reload that was accepted the new configuration has them all.
func TestLifecycleAcceptedReloadSpeaks(t *testing.T) {
	block := withBreaker("consecutive 3\n open 1m")
	s := newUnloadedSite(t)
	forget()
	s.LoadText(s.Caddyfile(block))
	s.persistent()
	s.LoadText(strings.Replace(s.watched(block, "chatkit.fallback"), "caddy.log", "second.log", 1))
	trip(s, 3)
	onlyEvents(t,
		"chatkit.fallback provider=backend served_by=openai reason=status_5xx",
		"chatkit.breaker_changed provider=backend from=closed to=open reason=status_5xx")
	if was, is := s.changes("caddy.log"), s.changes("second.log"); len(was) != 0 || !slices.Equal(is, []string{"backend closed->open status_5xx"}) {
		t.Errorf("the old configuration logged %q, the new one %q", was, is)
	}
}

// transitions are how often the breaker of the first provider has changed since
// the counter was made.
type transitions struct {
	s      *site
	before map[string]float64
}

func (s *site) transitions() transitions {
	t := transitions{s, make(map[string]float64)}
	for _, pair := range [][2]string{{"closed", "forced_open"}, {"forced_open", "closed"}} {
		t.before[pair[0]+"->"+pair[1]] = s.Metric(transition(pair[0], pair[1]))
	}
	return t
}

func transition(from, to string) string {
	return fmt.Sprintf(`breaker_transitions_total{from=%q,provider="backend",to=%q}`, from, to)
}

// want checks that the breaker was forced open once, and how often it was released.
func (c transitions) want(when string, released float64) {
	c.s.T.Helper()
	f := c.s.Metric(transition("closed", "forced_open")) - c.before["closed->forced_open"]
	r := c.s.Metric(transition("forced_open", "closed")) - c.before["forced_open->closed"]
	if f != 1 || r != released {
		c.s.T.Errorf("%s: counted %v times forced and %v times released, want 1 and %v", when, f, r, released)
	}
}

// retrying is a block with other settings for its backend.
func retrying(block string) string { return strings.Replace(block, "retries 0", "retries 1", 1) }

// wantForced checks that sessions go past the backend, by the force given.
func (s *site) wantForced(when string, until time.Time) {
	s.T.Helper()
	if p := s.statuses()["backend"]; p.State != "forced_open" || p.Forced == nil || !p.Forced.Until.Equal(until) || p.Forced.Reason != "a deploy" {
		s.T.Errorf("%s: got %+v", when, p)
	}
	if got := s.Session(); got.Provider() != "openai" || got.Reason() != "forced_open" {
		s.T.Errorf("%s: served by %s because %q", when, got.Provider(), got.Reason())
	}
}

// A forced state survives reloads that change the provider, and those that are
// refused, and is counted, logged and sent once.
func TestLifecycleForcedStateSurvives(t *testing.T) {
	s := newUnloadedSite(t)
	forget()
	s.LoadText(s.watched(visitor))
	s.persistent()
	count := s.transitions()
	until := s.force("open", "backend", "1h").Forced.Until
	for _, r := range slices.Concat(s.refusals(visitor), s.refusals(retrying(visitor))) {
		s.refused(r)
		s.wantForced("refused by "+r.name, until)
	}
	s.refused(refusal{text: s.Caddyfile(openaiOnly + broken), want: "TEST_UNSET"})
	s.wantForced("refused without the provider", until)
	count.want("after refused reloads", 0)
	for i, block := range []string{retrying(visitor), visitor, visitor + "\n deadline 9s"} {
		s.LoadText(s.watched(block))
		s.wantForced(fmt.Sprintf("reload %d", i+1), until)
	}
	count.want("after reloads", 0)
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
	count.want("at the end", 1)
	if got := s.Session(); got.Provider() != "backend" {
		t.Errorf("at the end: served by %s because %q", got.Provider(), got.Reason())
	}
	if got := s.changes("caddy.log"); !slices.Equal(got, []string{"backend closed->forced_open a deploy", "backend forced_open->closed "}) {
		t.Errorf("got %q", got)
	}
	onlyEvents(t,
		"chatkit.breaker_changed provider=backend from=closed to=forced_open reason=a deploy",
		"chatkit.breaker_changed provider=backend from=forced_open to=closed reason=")
}

// A forced state belongs to a name: a reload that adds a site with a provider of
// another name does not force that one, and one that gives the name to a second
// provider is refused.
func TestLifecycleForcedStateStaysWithItsName(t *testing.T) {
	asked := testsite.NewTaker(t, answerSession)
	ours := "\n anonymous\n provider backend " + asked.URL + " {\n name NAME\n retries 0\n }"
	s := newSite(t, visitor)
	s.persistent()
	count := s.transitions()
	until := s.force("open", "backend", "1h").Forced.Until
	two := strings.Replace(s.twoSites(visitor, "\n path"), "chatkit {\n path", "chatkit {"+ours, 1)

	err := s.TryLoadText(strings.Replace(two, "NAME", "backend", 1))
	if err == nil || !strings.Contains(err.Error(), "provider backend: the name stands for a provider with other settings in this configuration; set another name") {
		t.Errorf("a name for two providers: got %v", err)
	}
	s.wantForced("after a name for two providers", until)
	count.want("after a name for two providers", 0)

	s.LoadText(strings.Replace(two, "NAME", "second", 1))
	s.wantForced("with a second site", until)
	if p, ok := s.statuses()["second"]; !ok || p.State != "closed" || p.Forced != nil {
		t.Errorf("the provider of the second site is %+v", p)
	}
	if got := s.Metric(`breaker_state{provider="second",state="closed"}`); got != 1 {
		t.Errorf("the metric of the second site's provider says %v", got)
	}
	count.want("with a second site", 0)
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
	count.want("at the end", 1)
}

// answerSession answers with a session.
func answerSession(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"client_secret":"s"}`)
}

// The end of a forced state is counted once, however the breaker got there: a
// breaker that a reload has replaced tells nothing.
func TestLifecycleForcedStateEndsOnce(t *testing.T) {
	for name, auto := range map[string]bool{"auto": true, "its time": false} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			forget()
			s.LoadText(s.watched(visitor))
			s.persistent()
			count := s.transitions()
			until := s.force("open", "backend", "2s").Forced.Until
			for range 3 {
				s.refused(s.refusals(retrying(visitor))[0])
			}
			count.want("after refused reloads", 0)
			s.LoadText(s.watched(retrying(visitor)))
			count.want("after the reload", 0)
			if auto {
				s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
				count.want("after auto", 1)
			}
			time.Sleep(time.Until(until) + 200*time.Millisecond)
			count.want("at the end", 1)
			if got := s.changes("caddy.log"); !slices.Equal(got, []string{"backend closed->forced_open a deploy", "backend forced_open->closed "}) {
				t.Errorf("got %q", got)
			}
			onlyEvents(t,
				"chatkit.breaker_changed provider=backend from=closed to=forced_open reason=a deploy",
				"chatkit.breaker_changed provider=backend from=forced_open to=closed reason=")
		})
	}
}

var providerLabel = regexp.MustCompile(`(?m)^caddy_chatkit_(?:breaker_state|breaker_open_until_timestamp_seconds|config_info)\{.*?provider="([^"]*)"`)

// labels are the providers that the metrics of breakers and the configuration know.
func (s *site) labels() string {
	found := providerLabel.FindAllStringSubmatch(s.Get(s.Admin+"/metrics"), -1)
	all := make([]string, 0, len(found))
	for _, m := range found {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// The labels of metrics are the plain names, whatever is loaded or refused, and
// the states stay with them.
func TestLifecycleLabels(t *testing.T) {
	s := newSite(t, withBreaker("consecutive 3\n open 1m"))
	s.persistent()
	trip(s, 3)
	check := func(when, want string) {
		t.Helper()
		if got := s.labels(); got != want {
			t.Errorf("%s: the labels are %q, want %q", when, got, want)
		}
		if open := s.Metric(backendOpen); open != 1 {
			t.Errorf("%s: the breaker of backend is open: %v, want 1", when, open)
		}
	}
	check("at first", "backend openai")
	block := withBreaker("consecutive 3\n open 1m")
	for _, r := range slices.Concat(s.refusals(block), s.refusals(retrying(block))) {
		s.refused(r)
		check("refused by "+r.name, "backend openai")
	}
	if err := s.TryLoadText(s.twoSites(block, retrying(block))); err == nil {
		t.Error("one name for two providers was not refused")
	}
	check("after one name for two providers", "backend openai")
	for range 2 {
		s.LoadText(s.twoSites(block, strings.Replace(retrying(block), "retries 1", "retries 1\n name second", 1)))
		check("with two sites", "backend openai second")
	}
	s.Load(block)
	if got := s.labels(); !strings.HasPrefix(got, "backend openai") || strings.Contains(got, "@") {
		t.Errorf("with one site again: the labels are %q", got)
	}
}

// actor is a backend that acts as its part says.
type actor struct{ part atomic.Value }

func (a *actor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else it would not see a client leave
	switch a.part.Load() {
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
		return
	case "garbage":
		_, _ = io.WriteString(w, "garbage")
		return
	case "slow":
		time.Sleep(150 * time.Millisecond)
	case "hang":
		<-r.Context().Done()
		return
	}
	answerSession(w, r)
}

// A breaker that opens says why: by the attempt that opened it or by slow calls,
// not by whatever failed before.
func TestLifecycleReason(t *testing.T) {
	const slowRule = "consecutive off\n ratio 100% of 4 in 1m\n slow 100ms 75%\n open 1m"
	tests := []struct {
		name, breaker string
		acts          string
		want          []string // changes
	}{
		{"slow calls", slowRule, "slow slow slow slow", []string{"closed->open slow"}},
		{"slow calls after a failure", slowRule, "500 slow slow slow", []string{"closed->open slow"}},
		{"a slow call after slow ones and a good one", slowRule, "slow slow ok slow", []string{"closed->open slow"}},
		{"failures", "consecutive 3\n open 1m", "500 500 500", []string{"closed->open status_5xx"}},
		{"failures after other ones", "consecutive 3\n open 1m", "garbage hang 500", []string{"closed->open status_5xx"}},
		{"other failures after these", "consecutive 3\n open 1m", "500 500 garbage", []string{"closed->open invalid_response"}},
		{"failures among slow calls", "consecutive 2\n slow 100ms 100%\n open 1m", "slow slow hang garbage", []string{"closed->open invalid_response"}},
		{"a slow probe", "consecutive 1\n slow 100ms 100%\n open 200ms 1m", "500 wait slow",
			[]string{"closed->open status_5xx", "open->half_open ", "half_open->open slow"}},
		{"a probe that fails", "consecutive 1\n open 200ms 1m", "500 wait garbage",
			[]string{"closed->open status_5xx", "open->half_open ", "half_open->open invalid_response"}},
		{"a probe that succeeds", "consecutive 1\n open 200ms 1m", "500 wait ok",
			[]string{"closed->open status_5xx", "open->half_open ", "half_open->closed "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var backend actor
			s := newUnloadedSite(t)
			forget()
			block := "\n anonymous\n provider backend " + testsite.OwnBackend(t, backend.ServeHTTP) + " {\n timeout 400ms\n retries 0\n breaker {\n" + tt.breaker + "\n }\n }"
			s.LoadText(s.watched(block))
			for act := range strings.FieldsSeq(tt.acts) {
				if act == "wait" {
					s.Await(backendHalfOpen, 1)
					continue
				}
				backend.part.Store(act)
				s.Session()
			}
			var lines, events []string
			for _, c := range tt.want {
				lines = append(lines, "backend "+c)
				states, reason, _ := strings.Cut(c, " ")
				from, to, _ := strings.Cut(states, "->")
				events = append(events, fmt.Sprintf("chatkit.breaker_changed provider=backend from=%s to=%s reason=%s", from, to, reason))
			}
			if got := s.changes("caddy.log"); !slices.Equal(got, lines) {
				t.Errorf("logged %q, want %q", got, lines)
			}
			onlyEvents(t, events...)
		})
	}
}
