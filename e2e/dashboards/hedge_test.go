package dashboards_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Of so many requests every tenth may be hedged.
const (
	slowRequests = 30
	perHedge     = 10
)

// newSlowBackend starts a backend that takes its time. Every tenth request gets a
// session, which it does not cancel, and all others an error.
func newSlowBackend(t *testing.T) string {
	t.Helper()
	var n atomic.Int64
	return testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if n.Add(1)%perHedge != 0 {
			time.Sleep(100 * time.Millisecond)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		time.Sleep(2 * time.Second)
		_, _ = io.WriteString(w, `{"session_id": "one"}`)
	})
}

// hedge asks a slow backend more often than it may be hedged.
func (d *driver) hedge() {
	for i := range slowRequests {
		if (i+1)%perHedge != 0 {
			d.session("hedged", "status_5xx")
			d.hedges["hedged: capped"]++
			continue
		}
		d.session("hedged", "hedge")
		delete(d.attempts, "hedged: hedge")
		d.attempts["hedged: ok"]++ // nobody got it
		d.hedges["hedged: won"]++
		d.orphans["hedged: failed"]++
	}
}

func (d *driver) checkHedges(l *ledger) {
	l.check("after",
		expectation{name: "Hedges", want: each(d.hedges, perSecond)},
		expectation{name: "Orphan sessions", want: each(d.orphans, perSecond)},
		expectation{name: "ChatkitHedgingAtItsCap", legend: "{{provider}}", want: map[string]bounds{"hedged": about(.9)}},
		expectation{name: "ChatkitOrphansNotCanceled", legend: "{{provider}}", want: map[string]bounds{"hedged": about(d.orphans["hedged: failed"])}},
	)
	l.alarmed("ChatkitHedgingAtItsCap", "ChatkitOrphansNotCanceled")
}
