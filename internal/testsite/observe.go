package testsite

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Metric reads a series by its name, without caddy_chatkit_, and its labels as
// they stand in the exposition.
func (s *Site) Metric(series string) (v float64) {
	s.T.Helper()
	for line := range strings.Lines(s.Get(s.Admin + "/metrics")) {
		if rest, ok := strings.CutPrefix(line, "caddy_chatkit_"+series+" "); ok {
			if _, err := fmt.Sscan(rest, &v); err != nil {
				s.T.Fatal(err)
			}
			return v
		}
	}
	s.T.Fatalf("no series %s", series)
	return 0
}

// Await waits until a series has a value.
func (s *Site) Await(series string, want float64) {
	s.T.Helper()
	for end := time.Now().Add(10 * time.Second); s.Metric(series) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.T.Fatalf("%s did not become %v", series, want)
		}
	}
}

// Logged returns the lines of a log of the site that hold all the words.
func (s *Site) Logged(file string, words ...string) (found []string) {
	s.T.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, file))
	if err != nil {
		s.T.Fatal(err)
	}
lines:
	for line := range bytes.Lines(b) {
		for _, w := range words {
			if !bytes.Contains(line, []byte(w)) {
				continue lines
			}
		}
		found = append(found, string(line))
	}
	return found
}

// AwaitLogged returns the lines of a log that hold all the words, as soon as
// there is one: the client has its answer before the log has its line.
func (s *Site) AwaitLogged(file string, words ...string) []string {
	s.T.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if lines := s.Logged(file, words...); len(lines) > 0 {
			return lines
		}
		if time.Now().After(end) {
			s.T.Fatalf("no line of %s has %q", file, words)
		}
	}
}

// AwaitItsLog makes the test end only when the site has logged an answer: it
// does that on its own time, but must not once the directory of the log is gone.
func (s *Site) AwaitItsLog(resp *http.Response) {
	s.T.Helper()
	s.T.Cleanup(func() {
		if id := resp.Header.Get("X-Request-Id"); id != "" {
			s.AwaitLogged("access.log", id)
		}
	})
}

// Receive returns the next value of a channel, which has to come soon.
func Receive[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(10 * time.Second):
		t.Fatal("waited in vain")
	}
	return v
}
