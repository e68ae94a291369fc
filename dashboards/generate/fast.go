package main

import "fmt"

// quantiles are p50, p95 and p99 of a histogram by labels; the legend says
// whose they are.
func quantiles(histogram, by, legend string) []query {
	labels := "le"
	if by != "" {
		labels += ", " + by
	}
	of := func(value, name string) query {
		return query{
			fmt.Sprintf("histogram_quantile(%s, sum by (%s) (rate(%s[$__rate_interval])))", value, labels, histogram),
			name + legend,
		}
	}
	return []query{of("0.5", "p50"), of("0.95", "p95"), of("0.99", "p99")}
}

// fast is the row "How fast".
func fast() []*panel {
	return []*panel{
		series("Time of one call by provider", "s",
			"How long one call to a provider takes. A p99 at the provider's timeout means that calls run into it.",
			quantiles("caddy_chatkit_attempt_duration_seconds_bucket{I,P}", "provider", " {{provider}}")...).
			limits("green", from(1, "orange"), from(3, "red")),
		series("Time to a session by who served", "s",
			"How long a client waits for its session, all providers that were asked together. none: nobody served. A fallback costs the time the first "+
				"provider took to fail, until its breaker opens.",
			quantiles("caddy_chatkit_session_duration_seconds_bucket{I}", "served_by", " {{served_by}}")...).
			limits("green", from(1, "orange"), from(3, "red")),
		series("Overhead of this module", "s",
			"How long a session request was in this module without waiting for a provider. Milliseconds mean that the machine is short of CPU; seconds, "+
				"that clients send their bodies slowly.",
			quantiles("caddy_chatkit_overhead_seconds_bucket{I}", "", "")...).
			limits("green", from(.005, "orange"), from(.1, "red")),
	}
}
