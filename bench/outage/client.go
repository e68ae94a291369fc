package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// sample is one session request.
type sample struct {
	at   time.Duration // since the measurement began
	took time.Duration
	by   string // who served, "" for nobody
	lost bool   // the connection was closed without an answer
}

// samples are those of a measurement. They may be added from any goroutine.
type samples struct {
	began time.Time
	mu    sync.Mutex
	all   []sample
}

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 4096}}

// ask sends the request of a user.
func (s *samples) ask(ctx context.Context, url string, user int) {
	start := time.Now()
	by, lost := "", true
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err == nil {
		r.Header.Set("X-User", fmt.Sprint("u", user))
		var resp *http.Response
		if resp, err = client.Do(r); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			lost = false
			if resp.StatusCode == http.StatusOK {
				by = resp.Header.Get("X-ChatKit-Provider")
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sample{start.Sub(s.began), time.Since(start), by, lost})
}

// served counts those that a provider served, "" for nobody.
func (s *samples) served(by string, from, to time.Duration) (n int) {
	for _, x := range s.all {
		if x.by == by && x.at >= from && x.at < to {
			n++
		}
	}
	return n
}

// lost counts those whose connection was closed without an answer.
func (s *samples) lost() (n int) {
	for _, x := range s.all {
		if x.lost {
			n++
		}
	}
	return n
}

// quantiles returns how long it took: the median, 99 % and the longest.
func (s *samples) quantiles() (p50, p99, most time.Duration) {
	took := make([]time.Duration, len(s.all))
	for i, x := range s.all {
		took[i] = x.took
	}
	slices.Sort(took)
	n := len(took)
	return took[n/2], took[min(n*99/100, n-1)], took[n-1]
}

// slow counts those that took longer than d.
func (s *samples) slow(d time.Duration) (n int) {
	for _, x := range s.all {
		if x.took > d {
			n++
		}
	}
	return n
}
