package main

import "strings"

// over fills the window into an expression.
func over(window, expr string) string { return strings.ReplaceAll(expr, "WINDOW", window) }

// serving is the row "Who serves and why".
func serving() []*panel {
	return []*panel{
		series("Fallback share by reason", "percentunit",
			"The share of sessions served by a provider other than the first, by the provider that did not serve and why (see Reasons in docs/reference/http-api.md). "+
				"open is always the result of other reasons: look at what came before it.",
			query{`sum by (from, reason) (rate(caddy_chatkit_fallbacks_total{I}[$__rate_interval])) / on () group_left () (` +
				over("$__rate_interval", served) + ` > 0)`, "{{from}}: {{reason}}"}).
			stacked().limits("green", from(.5, "red")).scale(0, 1).wide(12),
		breakers(),
		stat("Time in fallback", "s",
			"For how much of the time range shown another provider served sessions in place of this one.",
			query{`count_over_time((sum by (from) (increase(caddy_chatkit_fallbacks_total{I}[$__rate_interval])) > 0)[$__range:$__interval]) * $__interval_ms / 1000`, "{{from}}"}).
			limits("yellow", from(900, "red")).empty("none").wide(6),
		stat("Open until", "dateTimeFromNow",
			"When an open breaker lets the next request through, to check whether the provider works again, or when an operator's forced-open state "+
				"ends. Only providers with an open breaker are shown.",
			query{`max by (instance, provider) (caddy_chatkit_breaker_open_until_timestamp_seconds{I,P} > 0) * 1000`, "{{provider}} on {{instance}}"}).
			limits("red").empty("no breaker is open").wide(6),
		series("Attempts without a session", "reqps",
			"Attempts by provider and result, without ok. This panel shows the cause: for misconfigured, check the configuration (wrong key, retired "+
				"workflow); for timeout and status_5xx, check the provider; for dial, dns and tls, check the network.",
			query{`sum by (provider, result) (rate(caddy_chatkit_attempts_total{I,P,result!="ok"}[$__rate_interval])) > 0`, "{{provider}}: {{result}}"}).
			wide(12),
	}
}

// stateNumbers maps each breaker state to a number, for a panel with a color per state.
const stateNumbers = `(caddy_chatkit_breaker_state{I,P,state="half_open"} * 1` +
	` or caddy_chatkit_breaker_state{I,P,state="open"} * 2` +
	` or caddy_chatkit_breaker_state{I,P,state="forced_open"} * 3` +
	` or caddy_chatkit_breaker_state{I,P,state="forced_closed"} * 4` +
	` or caddy_chatkit_breaker_state{I,P,state="ramping"} * 5)`

// breakers returns the panel with the state of every breaker.
func breakers() *panel {
	p := newPanel("state-timeline", "Breakers", "none",
		"The state of each provider's breaker on each instance. Open: the provider is not asked. Half-open: the next request is the probe; without "+
			"requests the breaker stays half-open. Ramping: it is closed again, and gets a growing share of the requests. Forced: set by an operator, see caddy chatkit-status.")
	p.Targets = targets(false, "time_series", []query{{"sum by (instance, provider) " + stateNumbers, "{{provider}} on {{instance}}"}})
	p.FieldConfig.Defaults.Color = object{"mode": "thresholds"}
	p.FieldConfig.Defaults.Custom = object{"fillOpacity": 80, "lineWidth": 0, "spanNulls": false}
	p.FieldConfig.Defaults.Mappings = []object{{"type": "value", "options": object{
		"0": object{"index": 0, "text": "closed", "color": "green"},
		"1": object{"index": 1, "text": "half-open", "color": "yellow"},
		"2": object{"index": 2, "text": "open", "color": "red"},
		"3": object{"index": 3, "text": "forced open", "color": "purple"},
		"4": object{"index": 4, "text": "forced closed", "color": "blue"},
		"5": object{"index": 5, "text": "ramping", "color": "light-green"},
	}}}
	p.Options = object{
		"mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9,
		"legend":  object{"showLegend": true, "displayMode": "list", "placement": "bottom"},
		"tooltip": object{"mode": "single", "sort": "none"},
	}
	return p.limits("green", from(1, "yellow"), from(2, "red"), from(3, "purple"), from(4, "blue"), from(5, "light-green")).wide(12)
}
