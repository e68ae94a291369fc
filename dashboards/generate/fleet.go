package main

// fleet is the row "Fleet": instances that share what they know.
func fleet() []*panel {
	return []*panel{
		series("Shared knowledge available", "short",
			"1 while an instance can use what instances share, 0 while it goes on alone. It is 0 too where nothing is shared.",
			query{`min by (instance) (caddy_chatkit_shared_up{I})`, "{{instance}}"}).wide(6),
		series("Breaker states by instance", "short",
			"How many instances have a breaker in each state that is not closed. Where they share what they know, all have the same within a second.",
			query{`sum by (provider, state) (caddy_chatkit_breaker_state{I,P,state!="closed"}) > 0`, "{{provider}}: {{state}}"}).wide(6),
		series("In this state since", "s",
			"How long each breaker that is not closed has been in its state, by instance.",
			query{`time() - max by (instance, provider) (caddy_chatkit_breaker_since_timestamp_seconds{I,P})` +
				` and on (instance, provider) (sum by (instance, provider) (caddy_chatkit_breaker_state{I,P,state!="closed"}) > 0)`,
				"{{instance}}: {{provider}}"}).wide(6),
		series("Who may probe", "short",
			"The instance that holds the lease to probe a provider. At most one has it at a time.",
			query{`max by (instance, provider) (caddy_chatkit_shared_lease{I,P}) > 0`, "{{instance}}: {{provider}}"}).wide(6),
		series("Look-ups", "reqps",
			"Questions that a request waited for, by result. timeout: no answer in time. skipped: not asked, because the store is away.",
			query{`sum by (result) (rate(caddy_chatkit_shared_lookups_total{I}[$__rate_interval]))`, "{{result}}"}).wide(8),
		series("Facts and sessions told", "short",
			"What instances told each other. dropped: it did not get through; facts about breakers are told again, sessions are not.",
			query{`sum by (direction, kind) (rate(caddy_chatkit_shared_events_total{I}[$__rate_interval])) > 0`, "{{direction}}: {{kind}}"}).wide(8),
		series("Time for a fact to arrive", "s",
			"From when an instance told something until it arrived: half of the facts, and all but one in a hundred.",
			query{`histogram_quantile(0.5, sum by (le) (rate(caddy_chatkit_shared_lag_seconds_bucket{I}[$__rate_interval])))`, "p50"},
			query{`histogram_quantile(0.99, sum by (le) (rate(caddy_chatkit_shared_lag_seconds_bucket{I}[$__rate_interval])))`, "p99"}).wide(8),
	}
}
