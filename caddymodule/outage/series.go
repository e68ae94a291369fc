package outage

import "github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"

// InitSeries creates the metric series of the stand-ins.
func (p *Policy) InitSeries() {
	kinds := make([]string, len(p.chain))
	for i, s := range p.chain {
		kinds[i] = s.Module
	}
	telemetry.InitStandIns(kinds)
}
