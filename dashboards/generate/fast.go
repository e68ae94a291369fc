package main

import "fmt"

// quantiles returns queries for p50, p95 and p99 of a histogram by labels. The
// legend is appended to the quantile's name.
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
		series("Call duration by provider", "s",
			"How long one call to a provider takes. A p99 at the provider's timeout means that calls time out.",
			quantiles("caddy_chatkit_attempt_duration_seconds_bucket{I,P}", "provider", " {{provider}}")...).
			limits("green", from(1, "orange"), from(3, "red")),
		series("Session duration by provider", "s",
			"How long a client waits for its session, including all providers that were asked. none: no provider served. Until the first provider's "+
				"breaker opens, a fallback also takes the time that provider needs to fail.",
			quantiles("caddy_chatkit_session_duration_seconds_bucket{I}", "served_by", " {{served_by}}")...).
			limits("green", from(1, "orange"), from(3, "red")),
		series("Overhead of this module", "s",
			"Time that a session request spends in this module, without waiting for providers. Milliseconds mean that the machine is short of CPU; "+
				"seconds, that clients send their bodies slowly.",
			quantiles("caddy_chatkit_overhead_seconds_bucket{I}", "", "")...).
			limits("green", from(.005, "orange"), from(.1, "red")),
	}
}
