package main

// served and answered are the session requests that got a session, and those
// that were owed one: a request that the client caused to fail is not.
const (
	served   = `sum(rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback"}[WINDOW]))`
	answered = `sum(rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback|failed"}[WINDOW]))`
)

// working is the row "Is it working?".
func working() []*panel {
	return []*panel{
		stat("Session requests that got a session", "percentunit",
			"The share of session requests that got a session, over the time shown. Requests refused to the client (no user, rate limit, rejected by "+
				"the provider) and those it canceled do not count. The objective is 99.9 %. Empty: nobody asked.",
			query{over("$__range", served+" / ("+answered+" > 0)"), "served"}).
			limits("red", from(.99, "orange"), from(.999, "green")).decimals(3).empty("no requests").wide(6),
		stat("Error budget left", "percentunit",
			"What is left of the 0.1 % of session requests that may fail in 30 days. At 0 it is used up, below 0 it is overdrawn.",
			query{"1 - (1 - " + over("30d", served+" / ("+answered+" > 0)") + ") / 0.001", "of 30 days"}).
			limits("red", from(0, "orange"), from(.25, "green")).decimals(1).empty("no requests").wide(6),
		series("Sessions by who served them", "reqps",
			"Sessions a second by the provider that served them. In normal times all are of the first provider; a color that comes in is a fallback.",
			query{`sum by (served_by) (rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback"}[$__rate_interval]))`, "{{served_by}}"}).
			stacked().wide(12),
		series("Failed session requests", "percentunit",
			"The share of session requests for which every provider failed. This is what burns the error budget: the lines are at the objective and at "+
				"14.4 times that, where it is gone in two days.",
			query{`sum(rate(caddy_chatkit_sessions_total{I,outcome="failed"}[$__rate_interval])) / (` + over("$__rate_interval", answered) + " > 0)", "failed"}).
			limits("green", from(.001, "orange"), from(.0144, "red")).wide(12),
		series("Session requests by outcome", "reqps",
			"Everything that asked for a session. ok, fallback: got one. failed: every provider failed. rejected: a provider refused this caller. "+
				"refused: we did (no user, bad body, rate limit). canceled: the client went away.",
			query{`sum by (outcome) (rate(caddy_chatkit_sessions_total{I}[$__rate_interval]))`, "{{outcome}}"}).
			stacked().wide(12),
	}
}
