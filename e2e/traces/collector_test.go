package traces_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	metrics "go.opentelemetry.io/otel/metric/noop"
	traces "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// collector is a collector that keeps the spans it receives.
type collector struct {
	t *testing.T

	mu    sync.Mutex
	all   []ptrace.Traces
	spans map[string]ptrace.Span // the last of each name
}

// newCollector starts one, and has Caddy export to it by a protocol of OTLP: "grpc" or
// "http/protobuf".
func newCollector(t *testing.T, protocol string) *collector {
	t.Helper()
	c := &collector{t: t, spans: make(map[string]ptrace.Span)}
	next, err := consumer.NewTraces(c.take)
	if err != nil {
		t.Fatal(err)
	}
	addr := testsite.FreeAddr(t)
	name, _, _ := strings.Cut(protocol, "/")
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	settings := map[string]any{"protocols": map[string]any{name: map[string]any{"endpoint": addr}}}
	if err := confmap.NewFromStringMap(settings).Unmarshal(config); err != nil {
		t.Fatal(err)
	}
	r, err := factory.CreateTraces(t.Context(), receiver.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger: zap.NewNop(), TracerProvider: traces.NewTracerProvider(), MeterProvider: metrics.NewMeterProvider(), Resource: pcommon.NewResource(),
		},
	}, config, next)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), host{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+addr)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	t.Setenv("OTEL_SERVICE_NAME", "chat")
	return c
}

// host is a collector without extensions.
type host struct{}

// GetExtensions implements [component.Host].
func (host) GetExtensions() map[component.ID]component.Component { return nil }

// take keeps what is received.
func (c *collector) take(_ context.Context, got ptrace.Traces) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := ptrace.NewTraces()
	got.CopyTo(kept)
	c.all = append(c.all, kept)
	for _, r := range kept.ResourceSpans().All() {
		for _, s := range r.ScopeSpans().All() {
			for _, span := range s.Spans().All() {
				c.spans[span.Name()] = span
			}
		}
	}
	return nil
}

// await waits for spans of these names.
func (c *collector) await(names ...string) {
	c.t.Helper()
	for range 1000 {
		if c.mu.Lock(); !slices.ContainsFunc(names, func(name string) bool { _, ok := c.spans[name]; return !ok }) {
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatalf("want %q, got %s", names, c.json())
}

// span returns the last span of a name.
func (c *collector) span(name string) ptrace.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans[name]
}

// json returns everything that was received, as OTLP has it.
func (c *collector) json() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text []byte
	for _, t := range c.all {
		b, err := new(ptrace.JSONMarshaler).MarshalTraces(t)
		if err != nil {
			c.t.Error(err)
		}
		text = append(append(text, b...), '\n')
	}
	return string(text)
}
