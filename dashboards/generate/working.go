package main

// served counts the session requests that got a session, answered those that
// should have: it leaves out requests that the client caused to fail.
const (
	served   = `sum(rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback"}[WINDOW]))`
	answered = `sum(rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback|failed"}[WINDOW]))`
)

// working is the row "Is it working?".
func working(o options) []*panel {
	budget := o.budget()
	share := number(budget)
	return []*panel{
		stat("Successful session requests", "percentunit",
			"The share of session requests that got a session, over the time range shown. Refused requests (no user, rate limit, rejected by the "+
				"provider) and requests that the client canceled do not count. The objective is "+o.objective+" %. Empty: no requests.",
			query{over("$__range", served+" / ("+answered+" > 0)"), "served"}).
			limits("red", from(rounded(1-10*budget), "orange"), from(rounded(1-budget), "green")).decimals(3).empty("no requests").wide(6),
		stat("Error budget left", "percentunit",
			"How much is left of the "+number(100*budget)+" % of session requests that may fail in 30 days. 0: used up. Below 0: overspent.",
			query{"1 - (1 - " + over("30d", served+" / ("+answered+" > 0)") + ") / " + share, "of 30 days"}).
			limits("red", from(0, "orange"), from(.25, "green")).decimals(1).empty("no requests").wide(6),
		series("Sessions by provider", "reqps",
			"Sessions per second, by the provider that served them. Normally the first provider serves all of them; any other color is a fallback.",
			query{`sum by (served_by) (rate(caddy_chatkit_sessions_total{I,outcome=~"ok|fallback"}[$__rate_interval]))`, "{{served_by}}"}).
			stacked().wide(12),
		series("Failed session requests", "percentunit",
			"The share of session requests for which every provider failed. These use up the error budget. The lines mark the objective and 14.4 "+
				"times the objective, which uses up the budget in two days.",
			query{`sum(rate(caddy_chatkit_sessions_total{I,outcome="failed"}[$__rate_interval])) / (` + over("$__rate_interval", answered) + " > 0)", "failed"}).
			limits("green", from(rounded(budget), "orange"), from(rounded(14.4*budget), "red")).wide(12),
		series("Session requests by outcome", "reqps",
			"All session requests. ok, fallback: got a session. failed: every provider failed. rejected: a provider refused this caller. "+
				"refused: this module refused it (no user, bad body, rate limit). canceled: the client went away.",
			query{`sum by (outcome) (rate(caddy_chatkit_sessions_total{I}[$__rate_interval]))`, "{{outcome}}"}).
			stacked().wide(12),
	}
}
