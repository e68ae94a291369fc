package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
)

// What the native histograms are like that stand beside the classic buckets. Only a
// Prometheus that asks for them gets them. Each bucket is at most a tenth wider than
// the one before; a series that would need more than 100 of them gets wider ones, and
// after an hour a new start.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
	nativeReset   = time.Hour
)

func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace: Namespace, Subsystem: Subsystem, Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
		NativeHistogramMinResetDuration: nativeReset,
	}
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(histogramOpts(name, help, buckets), labels)
}

// observe observes how long something took, with the trace that ctx belongs to as an
// exemplar where there is one.
func observe(ctx context.Context, o prometheus.Observer, took time.Duration) {
	if e, ok := o.(prometheus.ExemplarObserver); ok {
		if ids := tracing.Exemplar(ctx); ids != nil {
			e.ObserveWithExemplar(took.Seconds(), ids)
			return
		}
	}
	o.Observe(took.Seconds())
}
