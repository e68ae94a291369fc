package dashboards_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
)

// What the blocks say: how many providers there are, for how many seconds the
// breaker of one stays open, give or take a tenth.
const (
	providers = 12 // and stand-ins
	openFor   = 10
)

// A real Prometheus scrapes the product while it meets every situation, and
// every expression that is shipped gives what was driven.
func TestEveryExpression(t *testing.T) {
	p := newProduct(t)
	prom := startPrometheus(t, p.admin)
	prom.await("count(caddy_chatkit_config_info)", providers)
	l, d := newLedger(t, prom), newDriver(p)

	d.healthy()
	prom.await("sum(round(increase(caddy_chatkit_sessions_total[5m]))) > bool 7", 1)
	l.silent("healthy")

	d.faults()
	d.chats()
	d.trip()
	d.whileBroken(l)
	d.load("the app, reloaded")
	d.limits()
	d.hedge()
	d.saturate()
	d.drill()
	d.allDead()
	d.heal(prom)

	d.checkWorking(l)
	d.checkServing(l)
	d.checkFast(l)
	d.checkStreams(l)
	d.checkTurns(l)
	d.checkProtection(l)
	d.checkHedges(l)
	d.checkInstances(l)
	d.checkRules(l)
	d.checkRunbook(l)
	d.checkGone(l)
	l.close()
}

// whileBroken is the moment at which breakers are not closed and streams are
// under way. It ends with the late messages, and with all else released.
func (d *driver) whileBroken(l *ledger) {
	d.force("open", "forced")
	d.session("forced", "forced_open")
	one, two, socket := d.hold(), d.hold(), d.dialSocket()
	d.attempts["chat: ok"] += 3
	opened := float64(time.Now().UnixMilli())
	l.check("broken",
		expectation{name: "Open until", want: map[string]bounds{
			d.on("tripping"): between(opened, opened+openFor*1100), d.on("forced"): between(opened, opened+forcedFor*1000),
		}},
		expectation{name: "Breakers", want: map[string]bounds{d.on("tripping"): exactly(2), d.on("forced"): exactly(3)}},
		expectation{name: "ChatkitBreakerOpen", legend: "{{provider}}", want: map[string]bounds{"tripping": exactly(1)}},
		expectation{name: "ChatkitBreakerForced", legend: "{{provider}} {{state}}", want: map[string]bounds{"forced forced_open": exactly(1)}},
		expectation{name: "Instances D", legend: "{{instance}}", want: map[string]bounds{d.admin: exactly(2)}},
		expectation{name: "In flight", want: map[string]bounds{"stream": exactly(2), "websocket": exactly(1)}},
		expectation{name: "Instances G", legend: "{{instance}}", want: map[string]bounds{d.admin: exactly(3)}},
	)
	l.alarmed("ChatkitBreakerOpen", "ChatkitBreakerForced")

	l.check("a check that is wrong", expectation{name: "Health checks", want: map[string]bounds{"tripping: misconfigured": between(.001, 100)}},
		expectation{name: "ChatkitHealthCheckMisconfigured", legend: "{{provider}}", want: map[string]bounds{"tripping": between(.1, 1e4)}})
	l.alarmed("ChatkitHealthCheckMisconfigured")

	wait := d.late()
	d.force("close", "forced")
	d.session("forced", "")
	l.check("forced closed", expectation{
		name: "Breakers", rest: true, want: map[string]bounds{d.on("forced"): exactly(4)},
	})
	d.force("auto", "forced")
	two.leave()
	d.streams["stream: canceled"]++
	l.check("one has left", expectation{name: "In flight", rest: true, want: map[string]bounds{"stream": exactly(1)}})
	close(d.chat.release)
	for buf := make([]byte, 1<<10); ; {
		if _, err := one.body.Read(buf); err != nil {
			break
		}
	}
	d.streams["stream: ok"]++
	_ = socket.Close()
	d.streams["websocket: ok"]++
	l.check("half-open", expectation{
		name: "Breakers", want: map[string]bounds{d.on("tripping"): exactly(1)},
	})
	wait()
}

// heal lets the probe through.
func (d *driver) heal(prom *promServer) {
	d.T.Helper()
	d.set("tripping", sandbox.None)
	d.session("tripping", "")
	prom.await(`sum(caddy_chatkit_breaker_state{state="closed"})`, providers)
}

func (d *driver) on(provider string) string { return provider + " on " + d.admin }

// good are the requests that got a session, owed those that should have.
func (d *driver) good() float64 { return sum(d.outcomes, "ok", "fallback") }
func (d *driver) owed() float64 { return d.good() + d.outcomes["failed"] }

func (d *driver) checkWorking(l *ledger) {
	ratio := d.good() / d.owed()
	l.check("after",
		expectation{name: "Successful session requests", want: map[string]bounds{"served": about(ratio)}},
		expectation{name: "Error budget left", want: map[string]bounds{"of 30 days": between(1-(1-ratio*.94)/.001, 1-(1-ratio*1.06)/.001)}},
		expectation{name: "Sessions by provider", want: each(d.served, perSecond)},
		expectation{name: "Failed session requests", want: map[string]bounds{"failed": about(1 - ratio)}},
		expectation{name: "Session requests by outcome", want: each(d.outcomes, perSecond)},
	)
}

func (d *driver) checkServing(l *ledger) {
	failed := maps.Clone(d.attempts)
	maps.DeleteFunc(failed, func(name string, _ float64) bool { return strings.HasSuffix(name, ": ok") })
	seconds := make(map[string]bounds)
	for from, at := range d.since {
		s := time.Since(at).Seconds()
		seconds[from] = between(max(s-5, 1), s+20)
	}
	l.check("after",
		expectation{name: "Fallback share by reason", want: each(d.fallbacks, func(n float64) bounds { return about(n / d.good()) })},
		expectation{name: "Time in fallback", want: seconds},
		expectation{name: "Attempts without a session", want: each(failed, perSecond)},
		expectation{name: "Breakers", want: map[string]bounds{d.on("tripping"): exactly(0), d.on("forced"): exactly(0)}},
	)
}

// checkFast knows of one call that ran into its limit of 400 ms, which is the
// slowest, and that the others are quick.
func (d *driver) checkFast(l *ledger) {
	quick, limit := between(1e-5, .25), between(.25, 1)
	for ref, q := range map[string]string{"A": "p50", "B": "p95", "C": "p99"} {
		slowest := between(1e-5, 1)
		switch q {
		case "p50":
			slowest = quick
		case "p99":
			slowest = limit
		}
		l.check("after",
			expectation{name: "Call duration by provider " + ref, rest: true, want: map[string]bounds{q + " main": slowest, q + " second": between(1e-5, 1)}},
			expectation{name: "Session duration by provider " + ref, rest: true, want: map[string]bounds{q + " second": slowest, q + " main": between(1e-5, 1)}},
			expectation{name: "Overhead of this module " + ref, want: map[string]bounds{q: between(1e-6, .1)}},
		)
	}
}

func (d *driver) checkStreams(l *ledger) {
	l.check("after",
		expectation{name: "Streams by outcome", want: each(d.streams, perSecond)},
		expectation{name: "In flight", want: map[string]bounds{"stream": exactly(0), "message": exactly(0), "websocket": exactly(0)}},
	)
	for ref, q := range map[string]string{"A": "p50", "B": "p95", "C": "p99"} {
		l.check("after", expectation{name: "Time to first byte " + ref, rest: true, want: map[string]bounds{
			q + " message": between(5, 10), q + " stream": between(1e-4, 1), q + " websocket": between(1e-4, 1),
		}})
	}
}

func (d *driver) checkTurns(l *ledger) {
	attached := d.turns["attached"]
	delete(d.turns, "attached")
	perMinute := about(attached / 5)
	l.check("after",
		expectation{name: "Turns by end", want: each(d.turns, perSecond)},
		expectation{name: "Turns and their clients A", want: map[string]bounds{"in flight": exactly(0)}},
		expectation{name: "Turns and their clients B", want: map[string]bounds{"attached": perMinute}},
		expectation{name: "Turns and their clients C", want: map[string]bounds{"unread": exactly(0)}},
		expectation{name: "Turns and their clients D", want: map[string]bounds{
			"refused: turns": exactly(0), "refused: parallel": exactly(0), "refused: thread_owner": exactly(0),
		}},
		expectation{name: "ChatkitTurnsBroken", legend: "{{job}}", want: map[string]bounds{"caddy": about(d.turns["cut"] / sum(d.turns))}},
		expectation{name: "ChatkitFirstTokenSlow", legend: "{{job}}", want: map[string]bounds{"caddy": between(10, 20)}},
	)
	l.check("after",
		expectation{name: "Turns of stand-ins", want: map[string]bounds{
			"openai_chat: ok": perSecond(standInTurns), "none: failed": perSecond(silentTurns),
		}},
		expectation{name: "Tokens of stand-ins", want: map[string]bounds{
			"openai_chat: in": about(standInTurns * tokensIn / 5), "openai_chat: out": about(standInTurns * tokensOut / 5),
		}},
		expectation{name: "ChatkitStandInServes", legend: "{{job}}", want: map[string]bounds{
			"caddy": about((standInTurns + silentTurns) / sum(d.turns)),
		}},
		expectation{name: "ChatkitStandInsFail", legend: "{{job}}", want: map[string]bounds{
			"caddy": about(silentTurns / float64(standInTurns+silentTurns)),
		}},
	)
	l.alarmed("ChatkitTurnsBroken", "ChatkitFirstTokenSlow", "ChatkitStandInServes", "ChatkitStandInsFail")
	for ref, q := range map[string]string{"A": "p50", "B": "p95", "C": "p99"} {
		l.check("after", expectation{name: "Time to first content " + ref, want: map[string]bounds{q: between(10, 20)}})
	}
}

func (d *driver) checkProtection(l *ledger) {
	l.check("after",
		expectation{name: "Refused by rate limits", want: each(d.limited, perSecond)},
		expectation{name: "Refused requests", rest: true, want: map[string]bounds{"message: method_not_allowed": perSecond(turnedAway)}},
		expectation{name: "Retries", want: each(d.retries, perSecond)},
		expectation{name: "Skipped providers", want: each(
			having(d.attempts, "open", "forced_open", "cooldown", "rate_limited", "saturated"), perSecond)},
		expectation{name: "Drills", want: map[string]bounds{"drills": about(drills)}},
		expectation{name: "Attempts under way A", rest: true, want: map[string]bounds{"full": exactly(0), "main": exactly(0)}},
		expectation{name: "Attempts under way B", rest: true, want: map[string]bounds{"full: % of the limit": exactly(0)}},
		expectation{name: "ChatkitSaturated", legend: "{{provider}}", want: map[string]bounds{
			"full": about(d.attempts["full: saturated"] / (d.attempts["full: saturated"] + d.attempts["full: timeout"] + drills)),
		}},
		expectation{name: "Breaker state changes", want: map[string]bounds{
			"tripping to open": about(1), "tripping to half_open": about(1), "tripping to closed": about(1),
			"forced to forced_open": about(1), "forced to forced_closed": about(1), "forced to closed": about(1),
		}},
	)
	l.alarmed("ChatkitSaturated")
	if got := d.stand["capped"].Calls(); got != 5 {
		d.T.Errorf("the provider with a max_rate of 5 was asked %d times", got)
	}
}

func (d *driver) checkInstances(l *ledger) {
	for ref, want := range map[string]bounds{
		"A": between(1, 7200), "B": exactly(1), "C": exactly(providers), "D": exactly(0), "E": perSecond(d.good()),
		"F": perSecond(d.outcomes["failed"]), "G": exactly(0), "H": between(1<<20, 1<<36),
	} {
		l.check("after", expectation{name: "Instances " + ref, legend: "{{instance}}", want: map[string]bounds{d.admin: want}})
	}
	l.check("after", expectation{name: "annotation Configuration loaded", legend: "{{instance}}", want: map[string]bounds{d.admin: exactly(1)}})
}

func (d *driver) checkRules(l *ledger) {
	all, failed := sum(d.outcomes), d.outcomes["failed"]/d.owed()
	byJob := func(name string, want bounds) expectation {
		return expectation{name: name, legend: "{{job}}", want: map[string]bounds{"caddy": want}}
	}
	stream := having(map[string]float64{
		"n: all": sum(d.streams, "stream: ok", "stream: cut", "stream: idle", "stream: canceled"),
	}, "all")["n: all"]
	// Three days are an average over time, so that it matters when things happened.
	someTime := between(.001, .999)
	l.check("after",
		expectation{name: "job_outcome:caddy_chatkit_sessions:rate5m", legend: "{{outcome}}", want: each(d.outcomes, perSecond)},
		byJob("job:caddy_chatkit_fallbacks:ratio_rate5m", about(d.outcomes["fallback"]/d.good())),
		byJob("job:caddy_chatkit_session_errors:ratio_rate5m", about(failed)),
		byJob("job:caddy_chatkit_session_errors:ratio_rate30m", about(failed)),
		byJob("job:caddy_chatkit_session_errors:ratio_rate1h", about(failed)),
		byJob("job:caddy_chatkit_session_errors:ratio_rate6h", about(failed)),
		byJob("job:caddy_chatkit_session_errors:ratio_rate3d", someTime),
		byJob("ChatkitAllProvidersFailing", about(failed)),
		byJob("ChatkitBudgetBurnFast", about(failed)),
		byJob("ChatkitBudgetBurnSlow", about(failed)),
		byJob("ChatkitBudgetBurnCreeping", someTime),
		byJob("ChatkitOnFallback", about(d.outcomes["fallback"]/d.good())),
		byJob("ChatkitClientsTurnedAway", about((sum(d.outcomes, "refused", "rejected")-sum(d.limited))/all)),
		expectation{name: "ChatkitProviderMisconfigured", legend: "{{provider}}", want: map[string]bounds{"main": about(2)}},
		expectation{name: "ChatkitStreamsCut", legend: "{{kind}}", want: map[string]bounds{
			"stream":  about(sum(d.streams, "stream: cut", "stream: idle") / stream),
			"chatkit": about(d.streams["chatkit: cut"] / sum(d.streams, "chatkit: ok", "chatkit: cut")),
		}},
		expectation{name: "ChatkitChatUnserved", legend: "{{kind}}", want: map[string]bounds{
			"stream": about(deadStreams / (deadStreams + stream)),
		}},
		byJob("ChatkitChatTurnedAway", about(turnedAway/(turnedAway+sum(d.streams)))),
		expectation{name: "ChatkitFirstByteSlow", legend: "{{kind}}", want: map[string]bounds{"message": between(5, 10)}},
		expectation{name: "ChatkitRateLimitSurge", legend: "{{scope}}", want: map[string]bounds{"user": about(d.limited["user"] / all)}},
	)
	l.alarmed("ChatkitAllProvidersFailing", "ChatkitBudgetBurnFast", "ChatkitBudgetBurnSlow", "ChatkitBudgetBurnCreeping",
		"ChatkitOnFallback", "ChatkitClientsTurnedAway", "ChatkitProviderMisconfigured", "ChatkitStreamsCut", "ChatkitFirstByteSlow",
		"ChatkitRateLimitSurge", "ChatkitChatUnserved", "ChatkitChatTurnedAway")
}

// checkRunbook tries what the runbook says to ask Prometheus.
func (d *driver) checkRunbook(l *ledger) {
	queries := shipped.RunbookQueries(d.T)
	for _, q := range queries {
		// The provider of its examples is none of those here.
		got, err := l.prom.query(strings.ReplaceAll(q, `"backend"`, `"main"`))
		if err != nil || len(got) == 0 && q != "up == 0" {
			d.T.Errorf("runbook: %s gives %v and %v", q, got, err)
		}
	}
}

// checkGone takes the series away, and then the instance.
func (d *driver) checkGone(l *ledger) {
	d.unload()
	l.check("without a chatkit block", expectation{name: "ChatkitSeriesMissing", legend: "{{instance}}",
		want: map[string]bounds{d.admin: exactly(1), "": exactly(1)}})
	l.alarmed("ChatkitSeriesMissing")
	d.leave()
	l.check("down", expectation{name: "ChatkitInstanceDown", legend: "{{instance}}", want: map[string]bounds{d.admin: exactly(0)}})
	l.alarmed("ChatkitInstanceDown")
	if d.T.Failed() {
		d.T.Logf("driven: %+v %+v %+v", d.outcomes, d.attempts, d.streams)
	}
}
