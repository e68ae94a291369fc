package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// sample is what the process uses at a time.
type sample struct {
	at                                      time.Time
	resident, live, goroutines, descriptors float64 // memory in KiB
}

// String returns the figures.
func (s sample) String() string {
	return fmt.Sprintf("RSS %6.1f MiB, live heap %5.1f MiB, %4.0f goroutines, %4.0f descriptors",
		s.resident/1024, s.live/1024, s.goroutines, s.descriptors)
}

// sample measures the process. The heap is collected first, so that only what lives
// is counted.
func (p *proxy) sample(ctx context.Context) (s sample, err error) {
	s.at = time.Now()
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		return s, err
	}
	s.descriptors = float64(len(fds))
	_, profile, err := p.api(ctx, http.MethodGet, "/debug/pprof/heap?gc=1&debug=1", "", "")
	if err != nil {
		return s, err
	}
	if s.live, err = numberAfter(profile, "# HeapAlloc ="); err != nil {
		return s, err
	}
	s.live /= 1024
	_, profile, err = p.api(ctx, http.MethodGet, "/debug/pprof/goroutine?debug=1", "", "")
	if err != nil {
		return s, err
	}
	if s.goroutines, err = numberAfter(profile, "goroutine profile: total"); err != nil {
		return s, err
	}
	status, err := os.ReadFile(dir + "status") //nolint:gosec // of our own process
	if err != nil {
		return s, err
	}
	s.resident, err = numberAfter(string(status), "VmRSS:")
	return s, err
}

// settled measures the process once it has nothing to do any more: turns whose client
// has left, and idle connections, take their time.
func (p *proxy) settled(ctx context.Context) (s sample, err error) {
	lowest := sample{}
	for range 20 {
		if s, err = p.sample(ctx); err != nil {
			return s, err
		}
		if lowest.at.IsZero() || s.goroutines < lowest.goroutines {
			lowest = s
		}
		if !pause(ctx, time.Second) {
			break
		}
	}
	s.goroutines, s.descriptors = lowest.goroutines, min(s.descriptors, lowest.descriptors)
	return s, nil
}

// samples are taken at regular times.
type samples []sample

// take takes them until the end.
func (all *samples) take(ctx context.Context, p *proxy, every time.Duration, t *tally) {
	for pause(ctx, every) {
		s, err := p.sample(ctx)
		if err != nil {
			if ctx.Err() == nil {
				t.bad("sample", err.Error())
			}
			continue
		}
		*all = append(*all, s)
		if len(*all)%6 == 1 {
			log.Printf("%-9v %v, %d requests", s.at.Sub((*all)[0].at).Round(time.Second), s, t.total())
		}
	}
}

// numberAfter returns the number that follows a name in a text.
func numberAfter(text, name string) (float64, error) {
	_, rest, ok := strings.Cut(text, name)
	fields := strings.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, fmt.Errorf("no number after %q", name)
	}
	return strconv.ParseFloat(fields[0], 64)
}
