package main

// protection is the row "Protection".
func protection() []*panel {
	return []*panel{
		series("Refused by our rate limits", "reqps",
			"Session requests that got a 429 of our own, by what they were counted by. A surge by ip is one address, by user one account; a NAT or a "+
				"front end that asks in a loop looks like an attack.",
			query{`sum by (scope) (rate(caddy_chatkit_rate_limited_total{I}[$__rate_interval]))`, "{{scope}}"}).wide(6),
		series("Retries", "reqps",
			"How often the same provider was asked once more within a request. Not more than a fifth of the requests, or 3 a second, are.",
			query{`sum by (provider) (rate(caddy_chatkit_retries_total{I,P}[$__rate_interval]))`, "{{provider}}"}).wide(6),
		series("Providers not asked", "reqps",
			"How often a provider was left out. open, forced_open: its breaker. cooldown: it asked for time by Retry-After. rate_limited: its max_rate. "+
				"budget: the deadline left no time.",
			query{`sum by (provider, result) (rate(caddy_chatkit_attempts_total{I,P,result=~"open|forced_open|cooldown|rate_limited|budget"}[$__rate_interval]))` +
				` > 0`, "{{provider}}: {{result}}"}).wide(6),
		series("Breaker changes", "short",
			"How often breakers changed their state. One that opens every few minutes is a provider that works by halves.",
			query{`sum by (provider, to) (increase(caddy_chatkit_breaker_transitions_total{I,P}[$__rate_interval])) > 0`, "{{provider}} to {{to}}"}).wide(6),
	}
}
