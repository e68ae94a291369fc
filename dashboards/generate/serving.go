package main

import "strings"

// over fills in the window of an expression.
func over(window, expr string) string { return strings.ReplaceAll(expr, "WINDOW", window) }

// serving is the row "Who serves and why".
func serving() []*panel {
	return []*panel{
		series("Fallback share by reason", "percentunit",
			"The share of sessions that another than the first provider served, by who did not serve and why (the reasons are those of the README). "+
				"open follows upon other reasons: look at what came before it.",
			query{`sum by (from, reason) (rate(caddy_chatkit_fallbacks_total{I}[$__rate_interval])) / on () group_left () (` +
				over("$__rate_interval", served) + ` > 0)`, "{{from}}: {{reason}}"}).
			stacked().limits("green", from(.5, "red")).scale(0, 1).wide(12),
		breakers(),
		stat("Time in fallback", "s",
			"For how long, of the time shown, there were sessions for which this provider did not serve and another one did.",
			query{`count_over_time((sum by (from) (increase(caddy_chatkit_fallbacks_total{I}[$__rate_interval])) > 0)[$__range:$__interval]) * $__interval_ms / 1000`, "{{from}}"}).
			limits("yellow", from(900, "red")).empty("none").wide(6),
		stat("Open until", "dateTimeFromNow",
			"When an open breaker lets the next request through, to see whether the provider works again; or when what an operator has forced open ends. A "+
				"provider whose breaker is not open is not shown.",
			query{`max by (instance, provider) (caddy_chatkit_breaker_open_until_timestamp_seconds{I,P} > 0) * 1000`, "{{provider}} on {{instance}}"}).
			limits("red").empty("no breaker is open").wide(6),
		series("Attempts that did not give a session", "reqps",
			"Attempts at each provider by what became of them, ok left out. This is where the cause stands: misconfigured needs an operator (wrong key, "+
				"retired workflow), timeout and status_5xx the provider, dial, dns and tls the network.",
			query{`sum by (provider, result) (rate(caddy_chatkit_attempts_total{I,P,result!="ok"}[$__rate_interval])) > 0`, "{{provider}}: {{result}}"}).
			wide(12),
	}
}

// The states of a breaker as numbers, for a panel that has a color for each.
const stateNumbers = `(caddy_chatkit_breaker_state{I,P,state="half_open"} * 1` +
	` or caddy_chatkit_breaker_state{I,P,state="open"} * 2` +
	` or caddy_chatkit_breaker_state{I,P,state="forced_open"} * 3` +
	` or caddy_chatkit_breaker_state{I,P,state="forced_closed"} * 4)`

// breakers is the panel with the state of every breaker.
func breakers() *panel {
	p := newPanel("state-timeline", "Breakers", "none",
		"The state of each provider's breaker on each instance. Open: the provider is not asked. Half-open: the next request is the probe; without "+
			"requests it stays so. Forced: an operator has said so, see caddy chatkit-status.")
	p.Targets = targets(false, "time_series", []query{{"sum by (instance, provider) " + stateNumbers, "{{provider}} on {{instance}}"}})
	p.FieldConfig.Defaults.Color = object{"mode": "thresholds"}
	p.FieldConfig.Defaults.Custom = object{"fillOpacity": 80, "lineWidth": 0, "spanNulls": false}
	p.FieldConfig.Defaults.Mappings = []object{{"type": "value", "options": object{
		"0": object{"index": 0, "text": "closed", "color": "green"},
		"1": object{"index": 1, "text": "half-open", "color": "yellow"},
		"2": object{"index": 2, "text": "open", "color": "red"},
		"3": object{"index": 3, "text": "forced open", "color": "purple"},
		"4": object{"index": 4, "text": "forced closed", "color": "blue"},
	}}}
	p.Options = object{
		"mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9,
		"legend":  object{"showLegend": true, "displayMode": "list", "placement": "bottom"},
		"tooltip": object{"mode": "single", "sort": "none"},
	}
	return p.limits("green", from(1, "yellow"), from(2, "red"), from(3, "purple"), from(4, "blue")).wide(12)
}
