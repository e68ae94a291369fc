package dashboards_test

import (
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// saturate has a provider hang that has one place.
func (d *driver) saturate() {
	d.set("full", sandbox.Hang)
	stop, ended := make(chan struct{}), make(chan []testsite.Answer)
	go func() { // takes the place again and again
		var all []testsite.Answer
		for {
			select {
			case <-stop:
				ended <- all
				return
			default:
			}
			a, err := testsite.Try(d.T.Context(), d.Client, http.MethodPost, d.sites["full"]+"/api/custom/session", "")
			if err != nil {
				d.T.Error(err)
			}
			all = append(all, a)
			time.Sleep(150 * time.Millisecond)
		}
	}()
	for full := 0; full < 14; {
		if d.session("full", "saturated", "timeout") == "saturated" {
			full++
		}
	}
	close(stop)
	for _, a := range <-ended {
		d.count("full", a, "saturated", "timeout")
	}
}

const (
	drillToken = "a-token-that-nobody-guesses"
	drills     = 30
)

// drill leaves out the first provider. What becomes of these requests counts nowhere
// else, but for the attempts.
func (d *driver) drill() {
	for range drills {
		got := d.ask(http.MethodPost, "full", "/api/custom/session", "", "X-ChatKit-Drill: "+drillToken)
		if got.Status != http.StatusOK || got.Reason() != "drill" {
			d.T.Fatalf("a drill got %d, %q", got.Status, got.Reason())
		}
		d.attempts["full: drill"]++
		d.attempts["second: ok"]++
	}
}
