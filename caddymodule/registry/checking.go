package registry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// finding is what a check of health has found.
type finding struct {
	result telemetry.HealthResult
	at     time.Time
	status int
	text   string    // of the error
	logged time.Time // when a line said so last
}

// watch has the provider asked for its health by check while its breaker is not
// closed, until stop is called.
func (p *Provider) watch(check func(context.Context) error) (stop func()) {
	return p.Breaker.Check(func(ctx context.Context) breaker.Health {
		err := check(ctx)
		if ctx.Err() != nil { // the configuration goes
			return breaker.Unhealthy
		}
		p.finds(err)
		return healthOf(err)
	})
}

// healthOf says what the answer to a check means. A status that says that we have
// asked for the wrong thing says nothing about the provider.
func healthOf(err error) breaker.Health {
	f, ok := errors.AsType[*session.Failure](err)
	switch {
	case err == nil:
		return breaker.Healthy
	case !ok:
		return breaker.Unhealthy
	case f.Reason == session.Misconfigured:
		return breaker.Unclear
	}
	switch f.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return breaker.Unhealthy
	}
	if f.Status >= http.StatusMultipleChoices && f.Status < http.StatusInternalServerError {
		return breaker.Unclear
	}
	return breaker.Unhealthy
}

// healthResults are the words for what a check finds.
var healthResults = map[breaker.Health]telemetry.HealthResult{
	breaker.Healthy: telemetry.Healthy, breaker.Unhealthy: telemetry.Unhealthy, breaker.Unclear: telemetry.HealthMisconfigured,
}

// finds notes what a check has found.
func (p *Provider) finds(err error) {
	f := &finding{result: healthResults[healthOf(err)], at: time.Now(), text: ErrorText(err)}
	if failure, ok := errors.AsType[*session.Failure](err); ok {
		f.status = failure.Status
	}
	telemetry.HealthChecked(p.Name, f.result)
	last := p.found.Load()
	if last != nil {
		f.logged = last.logged
	}
	if last == nil || last.result != f.result || f.at.Sub(f.logged) >= healthLines {
		f.logged = f.at
		p.log(f)
	}
	p.found.Store(f)
}

// healthLines is how often the same finding is logged.
const healthLines = time.Minute

// log logs a finding.
func (p *Provider) log(f *finding) {
	fields := []zap.Field{zap.String("provider", p.Name)}
	if f.result != telemetry.Healthy {
		fields = append(fields, zap.Int("status", f.status), zap.String("error", f.text))
	}
	switch f.result {
	case telemetry.Healthy:
		telemetry.Log().Info("provider is healthy", fields...)
	case telemetry.Unhealthy:
		telemetry.Log().Warn("provider is not healthy", fields...)
	case telemetry.HealthMisconfigured:
		telemetry.Log().Error("health check is misconfigured; requests of users are the probes", fields...)
	}
}

// HealthStatus is what the last check of health has found.
type HealthStatus struct {
	// healthy, unhealthy, or misconfigured: the check itself is wrong.
	Result string    `json:"result"`
	Status int       `json:"status,omitempty"` // of HTTP, where there was an answer
	Error  string    `json:"error,omitempty"`
	At     time.Time `json:"at"`
}

// health returns what the last check has found, since the breaker was closed.
func (p *Provider) health(now *breaker.Snapshot) *HealthStatus {
	f := p.found.Load()
	if f == nil || now.State != breaker.Open && now.State != breaker.HalfOpen {
		return nil
	}
	return &HealthStatus{Result: string(f.result), Status: f.status, Error: f.text, At: f.at.UTC()}
}
