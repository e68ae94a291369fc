package fleet_test

import (
	"fmt"
	"testing"
	"time"
)

// providers is a dying backend with another one behind it.
func providers(options string, urls ...string) string {
	text := options
	for i, url := range urls {
		text += fmt.Sprintf("\n provider backend %s {\n name %c\n retries 0\n timeout 1s\n breaker {\n open 3s 3s\n }\n }", url, 'a'+i)
	}
	return text
}

const size = 10

// A backend dies and returns, in front of ten instances.
func TestBackendDiesAndReturns(t *testing.T) {
	stopped := make(map[string]int)
	for _, sharing := range []string{"without", "with"} {
		t.Run(sharing, func(t *testing.T) {
			a, b := newBackend(t, "a"), newBackend(t, "b")
			options := ""
			if sharing == "with" {
				options = shared(startRedis(t).url())
			}
			fleet := start(t, size, providers(options, a.url, b.url))
			l := begin(fleet, 200)
			defer l.stop()
			time.Sleep(time.Second)
			l.clear()

			a.dead.Store(true)
			died := time.Now()
			took := eventually(t, "all have stopped", func() bool {
				return all(fleet, func(i *instance) bool { return i.state() != "closed" })
			})
			stoppedAt := time.Now()
			calls, last := a.since(died)
			t.Logf("%s: %d calls until the fleet has stopped, the last after %s; all breakers open after %s", sharing, calls, last.Round(time.Millisecond), took.Round(time.Millisecond))
			stopped[sharing] = calls

			a.slow.Store(int64(300 * time.Millisecond))
			a.dead.Store(false)
			eventually(t, "a probe", func() bool { n, _ := a.since(stoppedAt); return n > 0 })
			probed := time.Now()
			time.Sleep(250 * time.Millisecond)
			probes, _ := a.since(stoppedAt)
			back := eventually(t, "all are back", func() bool {
				return all(fleet, func(i *instance) bool { return i.state() == "closed" })
			})
			t.Logf("%s: %d probes of the fleet before the first was answered; all are back %s after the first probe (which takes 300ms)", sharing, probes,
				(back + time.Since(probed) - back).Round(time.Millisecond))
			if sharing == "with" && probes != 1 {
				t.Errorf("%d probes, want 1", probes)
			}
			l.stop()
			if _, _, _, wrong := l.clear(); len(wrong) > 0 {
				t.Errorf("%d sessions failed, such as %s", len(wrong), wrong[0])
			}
		})
	}
	if stopped["with"] >= stopped["without"] {
		t.Errorf("sharing saves no calls: %v", stopped)
	}
}
