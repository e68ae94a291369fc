package dashboards_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
)

// bounds are where a value has to lie.
type bounds struct{ low, high float64 }

func exactly(v float64) bounds         { return bounds{v, v} }
func between(low, high float64) bounds { return bounds{low, high} }

// about is a value that Prometheus extrapolates from scrapes a second apart: it
// misses or adds up to a second at each end.
func about(v float64) bounds { return bounds{v * .94, v * 1.12} }

// perSecond is the rate of events of the whole test.
func perSecond(events float64) bounds { return about(events / 300) }

func (b bounds) holds(v float64) bool {
	const rounding = 1e-9
	return v >= b.low-rounding && v <= b.high+rounding
}

func (b bounds) String() string {
	if b.low == b.high {
		return fmt.Sprintf("%.4g", b.low)
	}
	return fmt.Sprintf("%.4g to %.4g", b.low, b.high)
}

// each has bounds for every count.
func each(counts map[string]float64, of func(float64) bounds) map[string]bounds {
	all := make(map[string]bounds)
	for name, n := range counts {
		all[name] = of(n)
	}
	return all
}

// expectation says what an expression gives at some moment: a value for each
// series, by its legend. Series that are not named have to be 0.
type expectation struct {
	name   string
	legend string // where the expression has none of its own
	want   map[string]bounds
	rest   bool // the others may be anything
}

// ledger holds expectations against Prometheus, and notes what was measured.
type ledger struct {
	t    *testing.T
	prom *promServer
	all  map[string]shipped.Expression
	seen map[string]bool
	rows []string
}

func newLedger(t *testing.T, prom *promServer) *ledger {
	t.Helper()
	l := &ledger{t: t, prom: prom, all: make(map[string]shipped.Expression), seen: make(map[string]bool)}
	dashboard := shipped.ReadDashboard(t)
	for _, e := range dashboard.Expressions() {
		if _, twice := l.all[e.Name]; twice {
			t.Errorf("two expressions are called %q", e.Name)
		}
		l.all[e.Name] = e
	}
	for _, r := range prom.rules() {
		l.all[r.Name] = shipped.Expression{Name: r.Name, Expr: r.Query}
	}
	return l
}

// check evaluates expressions until they are as expected.
func (l *ledger) check(moment string, expectations ...expectation) {
	l.t.Helper()
	for _, x := range expectations {
		e, ok := l.all[x.name]
		if !ok {
			l.t.Errorf("nothing is called %q", x.name)
			continue
		}
		if e.Legend == "" {
			e.Legend = x.legend
		}
		l.seen[x.name] = true
		var got map[string]float64
		err := eventually(func() (err error) {
			if got, err = l.evaluate(e); err != nil {
				return err
			}
			return x.differs(got)
		})
		if err != nil {
			l.t.Errorf("%s: %s: %v\n%s", moment, x.name, err, e.Expr)
		}
		for _, name := range slices.Sorted(maps.Keys(x.want)) {
			l.rows = append(l.rows, fmt.Sprintf("%s | %s | %s | %.4g | %s", x.name, moment, name, got[name], x.want[name]))
		}
	}
}

// evaluate is what an expression gives now, by legend.
func (l *ledger) evaluate(e shipped.Expression) (map[string]float64, error) {
	samples, err := l.prom.query(e.Expr)
	if err != nil {
		return nil, err
	}
	got := make(map[string]float64)
	for _, s := range samples {
		name := shipped.Called(e.Legend, s.Metric)
		if _, twice := got[name]; twice {
			return nil, fmt.Errorf("two series are called %q", name)
		}
		got[name] = float64(s.Value)
	}
	return got, nil
}

// differs is an error that tells of every value that is not as expected.
func (x *expectation) differs(got map[string]float64) error {
	var all []string
	for name, b := range x.want {
		if v, ok := got[name]; !ok || !b.holds(v) {
			all = append(all, fmt.Sprintf("%q is %v (there: %v), want %s", name, v, ok, b))
		}
	}
	for name, v := range got {
		if _, ok := x.want[name]; !ok && !x.rest && v != 0 && !math.IsNaN(v) {
			all = append(all, fmt.Sprintf("%q is %v, want none or 0", name, v))
		}
	}
	if len(all) > 0 {
		slices.Sort(all)
		return errors.New(strings.Join(all, "; "))
	}
	return nil
}

// silent checks that none of the alerts has anything to say.
func (l *ledger) silent(moment string) {
	l.t.Helper()
	for _, r := range l.prom.rules() {
		if r.Type != "alerting" {
			continue
		}
		got, err := l.prom.query(r.Query)
		if err != nil || len(got) > 0 {
			l.t.Errorf("%s: %s gives %v and %v", moment, r.Name, got, err)
		}
	}
}

// alarmed checks that Prometheus has noticed what makes an alert.
func (l *ledger) alarmed(names ...string) {
	l.t.Helper()
	err := eventually(func() error {
		for _, r := range l.prom.rules() {
			if slices.Contains(names, r.Name) && r.State == "inactive" {
				return fmt.Errorf("%s is inactive", r.Name)
			}
		}
		return nil
	})
	if err != nil {
		l.t.Error(err)
	}
}

// needRedis are the panels and alerts that this test does not drive: they take two
// instances that share a Redis. promtool's tests have the alerts, e2e/fleet most of the
// metrics.
var needRedis = []string{
	"Shared knowledge available", "Breaker states by instance", "In this state since", "Who may probe", "Look-ups", "Facts and sessions told",
	"Time for a fact to arrive A", "Time for a fact to arrive B", "ChatkitSharedDown", "ChatkitSharedSlow",
}

// close checks that nothing was left out, and that all rules are healthy.
func (l *ledger) close() {
	l.t.Helper()
	for name := range l.all {
		switch {
		case slices.Contains(needRedis, name):
			if l.seen[name] {
				l.t.Errorf("%q was driven: it does not belong into the list of what is not", name)
			}
		case !l.seen[name]:
			l.t.Errorf("%q was never held against anything", name)
		}
	}
	for _, r := range l.prom.rules() {
		if r.Health != "ok" {
			l.t.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
		}
	}
	slices.Sort(l.rows)
	l.t.Log("\npanel or rule | moment | series | measured | driven\n" + strings.Join(l.rows, "\n"))
}
