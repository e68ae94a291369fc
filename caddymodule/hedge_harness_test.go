package caddymodule_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// ledger is a backend that keeps books of its sessions.
type ledger struct {
	URL string

	mu       sync.Mutex
	name     string
	answer   func(n int) (time.Duration, int) // how long the n-th takes, from 0, and its status
	made     []string
	canceled []string
	deletes  []string // what the requests for it said
	refuse   int      // so many cancellations are refused
}

// newLedger starts one whose sessions are called name-0, name-1, …
func newLedger(t *testing.T, name string, answer func(n int) (time.Duration, int)) *ledger {
	t.Helper()
	l := &ledger{name: name, answer: answer}
	l.URL = testsite.OwnBackend(t, l.ServeHTTP)
	return l
}

// always is a backend that answers after d.
func always(d time.Duration) func(int) (time.Duration, int) {
	return func(int) (time.Duration, int) { return d, http.StatusOK }
}

// then is a backend that is quick n times and slow afterwards, with a status.
func then(n int, slow time.Duration, status int) func(int) (time.Duration, int) {
	return func(i int) (time.Duration, int) {
		if i < n {
			return 0, http.StatusOK
		}
		return slow, status
	}
}

// ServeHTTP makes a session, or cancels one.
func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		l.cancel(w, r)
		return
	}
	l.mu.Lock()
	n := len(l.made)
	id := fmt.Sprint(l.name, "-", n)
	l.made = append(l.made, id)
	took, status := l.answer(n)
	l.mu.Unlock()
	time.Sleep(took) // whoever is still there
	if status != http.StatusOK {
		l.mu.Lock()
		l.made[n] = "" // none after all
		l.mu.Unlock()
		w.WriteHeader(status)
		return
	}
	_, _ = fmt.Fprintf(w, `{"session_id": %q}`, id)
}

func (l *ledger) cancel(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deletes = append(l.deletes, r.Header.Get("Authorization")+" "+r.URL.RequestURI())
	if l.refuse > 0 {
		l.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	l.canceled = append(l.canceled, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	w.WriteHeader(http.StatusNoContent)
}

// sessions returns which were made, and which canceled.
func (l *ledger) sessions() (made, canceled []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	made = slices.DeleteFunc(slices.Clone(l.made), func(id string) bool { return id == "" })
	return made, slices.Clone(l.canceled)
}

// asked is how many sessions it was asked for.
func (l *ledger) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.made)
}

// awaitCanceled waits until sessions are canceled, and no others.
func (l *ledger) awaitCanceled(t *testing.T, want ...string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, got := l.sessions()
		slices.Sort(got)
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("canceled %q, want %q", got, want)
		}
	}
}

// hedgedBlock is two backends, the first of which is hedged.
func hedgedBlock(a, b *ledger, hedge string) string {
	return testsite.Backends("deadline 8s", a.URL+"\n key k-a\n cancel on\n hedge "+hedge, b.URL+"\n key k-b\n cancel on")
}
