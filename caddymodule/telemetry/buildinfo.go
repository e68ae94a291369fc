package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/internal/buildinfo"
)

// newBuildInfo is a constant of the process. Caddy's go_build_info names the main
// module, which in a build by xcaddy is not ours.
func newBuildInfo() prometheus.Collector {
	b := buildinfo.Read()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: "build_info",
		Help:        "Always 1. The labels say which build runs.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.Go},
	}, func() float64 { return 1 })
}
