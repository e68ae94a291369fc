package main

import (
	"fmt"
	"log"
	"maps"
	"slices"
	"sync"
)

// tally counts how what was done has ended.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	wrong  []string
	wrongs int
}

func newTally() *tally { return &tally{counts: map[string]int{}} }

// ok counts an end that may be.
func (t *tally) ok(what, end string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what+": "+end]++
}

// bad counts one that may not be. The first few are printed.
func (t *tally) bad(what, end string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what+": WRONG"]++
	t.wrongs++
	if len(t.wrong) < 20 {
		t.wrong = append(t.wrong, what+": "+end)
		log.Printf("wrong: %s: %.300s", what, end)
	}
}

func (t *tally) total() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.counts {
		n += c
	}
	return n
}

func (t *tally) print() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(t.counts)) {
		log.Printf("%8d %s", t.counts[what], what)
	}
}

// verdict returns an error if anything ended as it must not.
func (t *tally) verdict() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrongs > 0 {
		return fmt.Errorf("%d wrong answers, such as %.300q", t.wrongs, t.wrong[0])
	}
	return nil
}
