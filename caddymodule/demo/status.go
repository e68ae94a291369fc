package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// statusPage serves the state of the providers and their breakers. It reads
// chatkit's metrics, as Prometheus does, so the demo knows only what an operator
// can know.
type statusPage struct {
	metricsURL string
	servers    map[string]*sandbox.Server
}

// providerStatus is one provider in the answer.
type providerStatus struct {
	Name    string  `json:"name"`
	State   string  `json:"state"`    // of its breaker
	ProbeIn float64 `json:"probe_in"` // seconds until the breaker lets a probe through
	Fault   string  `json:"fault"`    // of the simulated provider
}

// scrapeLimit is the time limit for reading the metrics.
const scrapeLimit = 2 * time.Second

// ServeHTTP answers with {"providers": […]}.
func (s *statusPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeLimit)
	defer cancel()
	found, err := s.scrape(ctx)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	all := make([]providerStatus, 0, len(s.servers))
	for _, name := range slices.Sorted(maps.Keys(s.servers)) {
		st := found[name]
		st.Name, st.Fault = name, string(s.servers[name].Fault())
		all = append(all, st)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"providers": all})
}

// scrape reads the metrics.
func (s *statusPage) scrape(ctx context.Context) (map[string]providerStatus, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metricsURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	defer resp.Body.Close()
	return readBreakers(resp.Body, time.Now())
}

var (
	stateSeries = regexp.MustCompile(`^caddy_chatkit_breaker_state\{provider="([^"]+)",state="([^"]+)"\} 1$`)
	untilSeries = regexp.MustCompile(`^caddy_chatkit_breaker_open_until_timestamp_seconds\{provider="([^"]+)"\} (\S+)$`)
)

// readBreakers reads the state of the breakers from metrics in the text format.
func readBreakers(metrics io.Reader, now time.Time) (map[string]providerStatus, error) {
	found := make(map[string]providerStatus)
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		if m := stateSeries.FindStringSubmatch(lines.Text()); m != nil {
			found[m[1]] = providerStatus{State: m[2], ProbeIn: found[m[1]].ProbeIn}
		} else if m := untilSeries.FindStringSubmatch(lines.Text()); m != nil {
			until, _ := strconv.ParseFloat(m[2], 64) // 0 if invalid: not open
			found[m[1]] = providerStatus{State: found[m[1]].State, ProbeIn: math.Max(0, until-float64(now.UnixNano())/1e9)}
		}
	}
	return found, lines.Err()
}
