package dashboards_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// driver uses the product, and counts by itself what Prometheus has to show.
// Its counts are of what clients see and of what the stand-ins were told to do.
type driver struct {
	*product

	outcomes  map[string]float64 // of session requests
	served    map[string]float64 // sessions by provider
	fallbacks map[string]float64 // "from: reason"
	attempts  map[string]float64 // "provider: result"
	retries   map[string]float64 // by provider
	limited   map[string]float64 // by scope
	streams   map[string]float64 // "kind: outcome"
	turns     map[string]float64 // by end
	hedges    map[string]float64 // "provider: result"
	orphans   map[string]float64 // "provider: result"
	since     map[string]time.Time
}

func newDriver(p *product) *driver {
	d := &driver{product: p, since: make(map[string]time.Time)}
	for _, m := range []*map[string]float64{&d.outcomes, &d.served, &d.fallbacks, &d.attempts, &d.retries, &d.limited, &d.streams, &d.turns, &d.hedges, &d.orphans} {
		*m = make(map[string]float64)
	}
	return d
}

// session asks for a session and returns why the first provider did not serve,
// which has to be one of the reasons.
func (d *driver) session(site string, want ...string) string {
	return d.sessionAt(site, "custom/session", "", want...)
}

func (d *driver) sessionAt(site, path, user string, want ...string) string {
	d.T.Helper()
	return d.count(site, d.ask(http.MethodPost, site, "/api/"+path, "", "X-User: "+user), want...)
}

// count counts the answer to a session request.
func (d *driver) count(site string, got testsite.Answer, want ...string) string {
	d.T.Helper()
	by, reason := got.Provider(), got.Reason()
	if got.Status != http.StatusOK || !slices.Contains(want, reason) {
		d.T.Fatalf("%s: got %d from %q for %q, want one of %q: %s", site, got.Status, by, reason, want, got.Raw)
	}
	d.served[by]++
	d.attempts[by+": ok"]++
	if reason == "" {
		d.outcomes["ok"]++
		return ""
	}
	d.outcomes["fallback"]++
	d.fallbacks[site+": "+reason]++
	d.attempts[site+": "+reason]++
	if d.since[site].IsZero() {
		d.since[site] = time.Now()
	}
	return reason
}

// refused sends a session request that is to be refused with a status.
func (d *driver) refused(status int, outcome, method, site string, headers ...string) {
	d.T.Helper()
	if got := d.ask(method, site, "/api/custom/session", "", headers...); got.Status != status {
		d.T.Fatalf("%s: got %d, want %d: %s", site, got.Status, status, got.Raw)
	}
	d.outcomes[outcome]++
}

// healthy are sessions as they should be.
func (d *driver) healthy() {
	for range 6 {
		d.session("main", "")
	}
	for range 2 {
		d.sessionAt("main", "custom/refresh", "", "")
	}
}

// faults drives every class of faults, and those where nobody else is asked.
func (d *driver) faults() {
	for _, class := range []struct {
		fault   sandbox.Fault
		reason  string
		retried bool // it surely did nothing
	}{
		{sandbox.Refuse, "dial", true},
		{sandbox.Reset, "reset", true},
		{sandbox.Status503, "status_5xx", true},
		{sandbox.Status500, "status_5xx", false},
		{sandbox.Hang, "timeout", false},
		{sandbox.Cut, "reset", false},
		{sandbox.Status408, "status_408", false},
		{sandbox.Status425, "status_425", false},
		{sandbox.Status429Bare, "status_429", false},
		{sandbox.Status401, "misconfigured", false},
		{sandbox.Status404, "misconfigured", false},
		{sandbox.HTML, "invalid_response", false},
		{sandbox.Expired, "invalid_response", false},
	} {
		d.set("main", class.fault)
		d.session("main", class.reason)
		if class.retried {
			d.retries["main"]++
			d.attempts["main: "+class.reason]++
		}
	}
	d.set("main", sandbox.Status403)
	for range 2 {
		d.refused(http.StatusForbidden, "rejected", http.MethodPost, "main")
		d.attempts["main: rejected"]++
	}
	d.set("main", sandbox.Hang)
	d.cancel()
	d.set("main", sandbox.None)
	for range 350 {
		d.refused(http.StatusMethodNotAllowed, "refused", http.MethodGet, "main")
	}
}

// cancel is a client that does not wait for its answer.
func (d *driver) cancel() {
	d.T.Helper()
	ctx, leave := context.WithTimeout(d.T.Context(), 100*time.Millisecond)
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.sites["main"]+"/api/custom/session", nil)
	if err != nil {
		d.T.Fatal(err)
	}
	if resp, err := d.Client.Do(r); err == nil {
		_ = resp.Body.Close()
		d.T.Fatalf("got an answer: %s", resp.Status)
	}
	d.outcomes["canceled"]++
	d.attempts["main: canceled"]++
}

// trip opens a breaker.
func (d *driver) trip() {
	d.set("tripping", sandbox.Status500)
	for range 2 {
		d.session("tripping", "status_5xx")
	}
	for range 3 {
		d.session("tripping", "open")
	}
}

// limits meets every limit there is: of a user, of an address, of a provider,
// and the one a provider asks for.
func (d *driver) limits() {
	ask := func(user string, sessions int, reason string) {
		for range sessions {
			d.sessionAt("capped", "custom/session", user, reason)
		}
	}
	ask("alice", 2, "")
	for range 80 {
		d.refused(http.StatusTooManyRequests, "refused", http.MethodPost, "capped", "X-User: alice")
		d.limited["user"]++
	}
	ask("bob", 2, "")
	ask("carol", 1, "")
	ask("carol", 1, "rate_limited")
	ask("dave", 2, "rate_limited")
	for range 2 { // 82 and 6 of 90 are used
		d.sessionAt("capped", "custom/session", "erin", "rate_limited")
	}
	for range 3 {
		d.refused(http.StatusTooManyRequests, "refused", http.MethodPost, "capped", "X-User: frank")
		d.limited["ip"]++
	}
	d.set("cooling", sandbox.Status429) // with Retry-After: 1
	for cool := 0; cool < 2; {
		if d.session("cooling", "status_429", "cooldown") == "cooldown" {
			cool++
		}
	}
}

// How many streams find no backend, and how many messages are refused.
const (
	deadStreams = 20
	turnedAway  = 600
)

// allDead are requests that nobody can serve.
func (d *driver) allDead() {
	d.set("dead-a", sandbox.Refuse)
	d.set("dead-b", sandbox.Refuse)
	for range 100 {
		d.refused(http.StatusBadGateway, "failed", http.MethodPost, "dead-a")
	}
	for range deadStreams {
		if got := d.ask(http.MethodPost, "dead-a", "/api/custom/stream", "{}"); got.Status != http.StatusBadGateway {
			d.T.Errorf("a stream got %d %s", got.Status, got.Raw)
		}
	}
	d.standIns()
	d.streams["stream: failed"] += deadStreams
	d.attempts["dead-a: dial"] += 100 + deadStreams
	d.attempts["dead-b: dial"] += 100 + deadStreams
	for range turnedAway {
		if got := d.ask(http.MethodGet, "main", "/api/custom/message", ""); got.Status != http.StatusMethodNotAllowed {
			d.T.Errorf("a message got %d %s", got.Status, got.Raw)
		}
	}
}

// standIns are turns that no backend answers: of a user, whom a model may answer, and of
// strangers, for whom there is nobody.
func (d *driver) standIns() {
	d.T.Helper()
	for i := range standInTurns + silentTurns {
		user, want := "X-User: ann", "I stand in."
		if i >= standInTurns {
			user, want = "X-Other: 1", `"type":"error"`
		}
		if got := d.ask(http.MethodPost, "dead-a", "/chatkit", spokenTurn, user); got.Status != http.StatusOK || !strings.Contains(got.Raw, want) {
			d.T.Errorf("a turn of a stand-in: got %d %q", got.Status, got.Raw)
		}
	}
	const all = standInTurns + silentTurns
	d.turns["ok"] += standInTurns
	d.turns["error"] += silentTurns
	d.streams["chatkit: ok"] += all
	d.attempts["dead-a: dial"] += all
	d.attempts["dead-b: dial"] += all
	d.attempts["openai_chat: ok"] += standInTurns
}

// The turns of stand-ins. There are so few that half of all turns show their content late.
const standInTurns, silentTurns = 2, 3

// spokenTurn is the request of a turn with a message.
const spokenTurn = `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}}`

// carry sends a stream or message, several times.
func (d *driver) carry(times int, kind, how, outcome string) {
	d.T.Helper()
	for range times {
		got := d.ask(http.MethodPost, "chat", fmt.Sprintf("/api/custom/%s?do=%s", kind, how), "{}")
		if got.Status != http.StatusOK || !strings.HasPrefix(got.Raw, "data: begun") {
			d.T.Errorf("%s %s: got %d %q", kind, how, got.Status, got.Raw)
		}
		d.streams[kind+": "+outcome]++
		d.attempts["chat: ok"]++
	}
}

// chats are streams and messages with all their ends.
func (d *driver) chats() {
	d.carry(3, "stream", "", "ok")
	d.carry(3, "stream", "cut", "cut")
	d.carry(2, "stream", "idle", "idle")
	d.carry(2, "message", "", "ok")
	for range 3 {
		d.turn("", "ok", "ok")
		d.turn("cut", "cut", "cut")
	}
}

// turn sends a turn.
func (d *driver) turn(how, end, outcome string) {
	d.T.Helper()
	got := d.ask(http.MethodPost, "chat", "/chatkit?do="+how, newTurn)
	if failed := strings.Contains(got.Raw, `"stream.error"`); got.Status != http.StatusOK || failed != (how == "cut") {
		d.T.Errorf("a turn that is to be %s: got %d %q", end, got.Status, got.Raw)
	}
	d.turns[end]++
	d.streams["chatkit: "+outcome]++
	d.attempts["chat: ok"]++
}

// newTurn is the request of a turn.
const newTurn = `{"type":"threads.create","params":{"input":{"content":[],"attachments":[],"inference_options":{}}}}`

// late are messages whose answers begin late; wait waits for them.
func (d *driver) late() (wait func()) {
	const messages = 12
	var all sync.WaitGroup
	for range messages {
		all.Go(func() {
			resp, err := d.Client.Post(d.sites["chat"]+"/api/custom/message?do=late", "application/json", strings.NewReader("{}"))
			if err != nil {
				d.T.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}
	for i := range 2 * messages { // each turn is asked for twice
		all.Go(func() {
			got := d.ask(http.MethodPost, "chat", "/chatkit?do=late", newTurn, fmt.Sprint("Chatkit-Frame-Instance-Id: ", i/2))
			if got.Status != http.StatusOK || strings.Contains(got.Raw, "error") {
				d.T.Errorf("a late turn: got %d %q", got.Status, got.Raw)
			}
		})
	}
	d.streams["message: ok"] += messages
	d.turns["ok"] += messages
	d.turns["attached"] += messages
	d.streams["chatkit: ok"] += 2 * messages
	d.attempts["chat: ok"] += 2 * messages
	d.T.Cleanup(all.Wait) // whatever ends the test
	return all.Wait
}

// sum adds up counts, all or those that are named.
func sum(counts map[string]float64, names ...string) (n float64) {
	for name, c := range counts {
		if len(names) == 0 || slices.Contains(names, name) {
			n += c
		}
	}
	return n
}

// having are the counts whose name ends in one of the words.
func having(counts map[string]float64, words ...string) map[string]float64 {
	found := make(map[string]float64)
	for name, c := range counts {
		if _, word, _ := strings.Cut(name, ": "); slices.Contains(words, word) {
			found[name] = c
		}
	}
	return found
}
