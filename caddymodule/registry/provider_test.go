package registry_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// A refused session is a line in the log. The refusal of a carried request is not: it
// goes to its client as it is, and there may be one for each request.
func TestRefusalsInTheLog(t *testing.T) {
	for _, reason := range []session.Reason{session.Rejected, session.Status4xx} {
		for carried, want := range map[bool]int{false: 1, true: 0} {
			core, logs := observer.New(zapcore.InfoLevel)
			p := &registry.Provider{Name: "backend"}
			o := p.Observer(zap.New(core), nil)
			o.Attempted(t.Context(), "r1", session.Verdict{Reason: reason, Status: 404, Carried: carried}, time.Second, errors.New("no"))
			if got := logs.FilterMessage("provider refused a request").Len(); got != want {
				t.Errorf("%s, carried %t: %d lines, want %d", reason, carried, got, want)
			}
		}
	}
}
