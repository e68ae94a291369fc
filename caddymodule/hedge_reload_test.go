package caddymodule_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Reloads in the middle of hedges and late answers, under load: every client gets a
// session, and every session was either served to one client or canceled once.
func TestReloadWhileHedging(t *testing.T) {
	a := newLedger(t, "a", func(int) (time.Duration, int) {
		switch n := rand.IntN(100); {
		case n < 8:
			return 300 * time.Millisecond, http.StatusOK // hedged
		case n < 10:
			return 900 * time.Millisecond, http.StatusOK // too late
		}
		return 2 * time.Millisecond, http.StatusOK
	})
	b := newLedger(t, "b", func(int) (time.Duration, int) {
		return time.Duration(rand.IntN(20)) * time.Millisecond, http.StatusOK
	})
	block := hedgedBlock(a, b, "50ms\n timeout 600ms\n breaker {\n consecutive off\n ratio off\n }")
	s := newSite(t, block)
	s.persistent()
	const clients, each = 8, 60
	served := make(chan string, clients*each)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				got, err := s.Try(http.MethodPost, "/api/custom/session", "")
				if err != nil || got.Status != http.StatusOK {
					t.Errorf("got %d, %v: %s", got.Status, err, got.Raw)
					continue
				}
				served <- got.Secret()
			}
		})
	}
	stop := make(chan struct{})
	go func() { wg.Wait(); close(stop) }()
	reloads := 0
	for over := false; !over; reloads++ {
		s.Load(strings.Replace(block, "deadline 8s", []string{"deadline 8s", "deadline 7s"}[reloads%2], 1))
		select {
		case <-stop:
			over = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	close(served)
	balance(t, a, b, served)
	made, canceled := a.sessions()
	_, others := b.sessions()
	t.Logf("%d reloads; a made %d sessions and canceled %d, b canceled %d", reloads, len(made), len(canceled), len(others))
	if reloads < 5 || len(canceled) == 0 {
		t.Errorf("only %d reloads, and %d canceled", reloads, len(canceled))
	}
}

// balance waits until every session was served or canceled, and never both.
func balance(t *testing.T, a, b *ledger, served <-chan string) {
	t.Helper()
	var got []string
	for secret := range served {
		got = append(got, secret)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		madeA, canceledA := a.sessions()
		madeB, canceledB := b.sessions()
		made, settled := slices.Concat(madeA, madeB), slices.Concat(got, canceledA, canceledB)
		slices.Sort(made)
		slices.Sort(settled)
		if slices.Equal(made, settled) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sessions were made, %d served and %d canceled", len(made), len(got), len(canceledA)+len(canceledB))
		}
	}
}
