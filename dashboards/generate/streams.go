package main

// streams is the row "Streams".
func streams() []*panel {
	return []*panel{
		series("In flight", "short",
			"Streams, messages and WebSockets that are open now. If a line only ever rises, a client or a backend never closes its connections.",
			query{`sum by (kind) (caddy_chatkit_streams_in_flight{I})`, "{{kind}}"}).
			stacked().limits("green", from(4000, "orange"), from(5000, "red")),
		series("Time to first byte", "s",
			"Time until the header of an answer is sent to the client. The red line is the threshold of the alert.",
			quantiles("caddy_chatkit_stream_first_byte_seconds_bucket{I}", "kind", " {{kind}}")...).
			limits("green", from(1, "orange"), from(5, "red")),
		series("Streams by outcome", "reqps",
			"How streams, messages and WebSockets end. ok: complete. canceled: the client left. cut: the backend closed the connection. idle: the "+
				"backend paused for too long. failed: no backend was available.",
			query{`sum by (kind, outcome) (rate(caddy_chatkit_streams_total{I}[$__rate_interval])) > 0`, "{{kind}}: {{outcome}}"}).
			stacked(),
	}
}

// turns is the row "ChatKit turns".
func turns() []*panel {
	return []*panel{
		series("Turns by end", "reqps",
			"How the turns of the chatkit path end. ok: complete. error: the backend's own error. cut, reset, idle, empty, unfinished, "+
				"first_token: the backend broke off. failed: no backend answered. canceled: the client stopped it.",
			query{`sum by (end) (rate(caddy_chatkit_turns_total{I}[$__rate_interval])) > 0`, "{{end}}"}).
			stacked(),
		series("Time to first content", "s",
			"Time from the start of a turn until its first event with content: how long people wait for the model. The red line is the threshold of the alert.",
			quantiles("caddy_chatkit_turn_first_token_seconds_bucket{I}", "", "")...).
			limits("green", from(5, "orange"), from(10, "red")),
		series("Turns and their clients", "short",
			"In flight: turns that run now. Attached: requests per minute that got a turn that ran already. Unread: turns per minute that ended well "+
				"after their client was lost. Refused: turns per minute over a limit.",
			query{`sum(caddy_chatkit_turns_in_flight{I})`, "in flight"},
			query{`60 * sum(rate(caddy_chatkit_turns_attached_total{I}[$__rate_interval]))`, "attached"},
			query{`60 * sum(rate(caddy_chatkit_turns_unread_total{I}[$__rate_interval]))`, "unread"},
			query{`60 * sum by (limit) (rate(caddy_chatkit_turns_refused_total{I}[$__rate_interval]))`, "refused: {{limit}}"}),
	}
}

// standIns is the row "Stand-ins".
func standIns() []*panel {
	return []*panel{
		series("Turns of stand-ins", "reqps",
			"Turns that no backend has answered, by the kind of stand-in that did and how its answer ended. ok: complete. incomplete: cut by a limit "+
				"or a filter. broken: broke off. canceled: the client left. none: failed: no stand-in had an answer either.",
			query{`sum by (kind, outcome) (rate(caddy_chatkit_standin_turns_total{I}[$__rate_interval])) > 0`, "{{kind}}: {{outcome}}"}).
			stacked(),
		series("Tokens of stand-ins", "short",
			"Tokens per minute that models took for answers, where their servers say so. in: the conversation. out: the answer.",
			query{`60 * sum by (kind, direction) (rate(caddy_chatkit_standin_tokens_total{I}[$__rate_interval])) > 0`, "{{kind}}: {{direction}}"}).
			stacked(),
	}
}
