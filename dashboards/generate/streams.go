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
