package main

// streams is the row "Streams".
func streams() []*panel {
	return []*panel{
		series("In flight", "short",
			"Streams, messages and WebSockets being carried now. A line that only ever rises is a client or a backend that never hangs up.",
			query{`sum by (kind) (caddy_chatkit_streams_in_flight{I})`, "{{kind}}"}).
			stacked().limits("green", from(4000, "orange"), from(5000, "red")),
		series("Time to the first byte", "s",
			"How long it takes until the header of an answer leaves for the client. The red line is where the alert stands.",
			quantiles("caddy_chatkit_stream_first_byte_seconds_bucket{I}", "kind", " {{kind}}")...).
			limits("green", from(1, "orange"), from(5, "red")),
		series("Ends by outcome", "reqps",
			"How streams, messages and WebSockets end. ok: whole. canceled: the client left. cut: the backend broke off. idle: it paused for too long. "+
				"failed: no backend took it.",
			query{`sum by (kind, outcome) (rate(caddy_chatkit_streams_total{I}[$__rate_interval])) > 0`, "{{kind}}: {{outcome}}"}).
			stacked(),
	}
}
