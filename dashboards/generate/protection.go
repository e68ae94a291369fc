package main

// protection is the row "Protection".
func protection() []*panel { return append(refusing(), hanging()...) }

// refusing is who is not asked, and asked as well.
func refusing() []*panel {
	return []*panel{
		series("Refused by rate limits", "reqps",
			"Session requests that this module answered with 429, by what the limit counts. A surge for ip is one address, for user one account. A NAT, "+
				"or a front end that requests sessions in a loop, looks like an attack.",
			query{`sum by (scope) (rate(caddy_chatkit_rate_limited_total{I}[$__rate_interval]))`, "{{scope}}"}).wide(6),
		series("Refused requests", "reqps",
			"Requests that this module answered with an error, by the code in the answer. body_timeout: clients that send a body too slowly. "+
				"forbidden_origin: pages that may not use the chat. session_error: nobody could serve.",
			query{`sum by (route, code) (rate(caddy_chatkit_refused_total{I}[$__rate_interval])) > 0`, "{{route}}: {{code}}"}).wide(6),
		series("Retries", "reqps",
			"How often the same provider was asked again within a request. Limited to a fifth of the requests, or 3 per second.",
			query{`sum by (provider) (rate(caddy_chatkit_retries_total{I,P}[$__rate_interval]))`, "{{provider}}"}).wide(6),
		series("Skipped providers", "reqps",
			"How often a provider was skipped. open, forced_open: its breaker. cooldown: it sent Retry-After. saturated: its max_in_flight. "+
				"ramp: it is recovering. rate_limited: its max_rate. budget: the deadline left no time.",
			query{`sum by (provider, result) (rate(caddy_chatkit_attempts_total{I,P,result=~"open|forced_open|cooldown|saturated|ramp|rate_limited|budget"}[$__rate_interval]))` +
				` > 0`, "{{provider}}: {{result}}"}).wide(6),
		series("Hedges", "reqps",
			"How often the next provider was asked as well, by the provider that took long. won: the other one served. lost: the first one did. "+
				"failed: the other one gave no session. capped: it was not asked, because a tenth of the requests were hedged. "+
				"refused: the first one refused the caller after the other one had served.",
			query{`sum by (provider, result) (rate(caddy_chatkit_hedges_total{I,P}[$__rate_interval])) > 0`, "{{provider}}: {{result}}"}).wide(6),
		series("Orphan sessions", "reqps",
			"Sessions that a provider made and nobody got: it lost a hedge, or its answer came too late. canceled: ended at the provider. "+
				"failed, dropped: they live on until they expire. unsupported: the provider cannot cancel. unknown: the call never ended.",
			query{`sum by (provider, result) (rate(caddy_chatkit_orphan_sessions_total{I,P}[$__rate_interval])) > 0`, "{{provider}}: {{result}}"}).wide(12),
	}
}

// hanging is what stands around a provider that hangs.
func hanging() []*panel {
	return []*panel{
		series("Attempts under way", "short",
			"Attempts at each provider that wait for an answer, and the highest share of max_in_flight of any instance. At 100 % the provider is "+
				"skipped for reason saturated. Many attempts under way belong to a provider that hangs, or to a limit that is too low.",
			query{`sum by (provider) (caddy_chatkit_attempts_in_flight{I,P})`, "{{provider}}"},
			query{`max by (provider) (caddy_chatkit_attempts_in_flight{I,P} / caddy_chatkit_attempts_in_flight_limit{I,P}) * 100`, "{{provider}}: % of the limit"}).wide(6),
		series("Health checks", "reqps",
			"Checks of providers whose breakers are not closed, by what they found. misconfigured: the path of health is wrong, and requests of users "+
				"are the probes.",
			query{`sum by (provider, result) (rate(caddy_chatkit_health_checks_total{I,P}[$__rate_interval])) > 0`, "{{provider}}: {{result}}"}).wide(6),
		series("Drills", "short",
			"Requests of operators that left out the first provider, to see whether the fallback works.",
			query{`sum(increase(caddy_chatkit_drills_total{I}[$__rate_interval]))`, "drills"}).wide(6),
		series("Breaker state changes", "short",
			"How often breakers changed state. A breaker that opens every few minutes belongs to a provider that fails some of the time.",
			query{`sum by (provider, to) (increase(caddy_chatkit_breaker_transitions_total{I,P}[$__rate_interval])) > 0`, "{{provider}} to {{to}}"}).wide(6),
	}
}
