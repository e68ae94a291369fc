package caddymodule_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// get reads a URL of the admin API or of the site whole.
func (s *site) get(url string) string {
	s.t.Helper()
	resp, err := s.client.Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// metric reads a series, by the name and labels it has in the exposition.
func (s *site) metric(series string) float64 {
	s.t.Helper()
	for line := range strings.Lines(s.get(s.Admin + "/metrics")) {
		if rest, ok := strings.CutPrefix(line, "caddy_chatkit_"+series+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				s.t.Fatal(err)
			}
			return v
		}
	}
	s.t.Fatalf("no series %s", series)
	return 0
}

// logged returns the lines of a log of the site that hold all the words.
func (s *site) logged(file string, words ...string) (found []string) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, file))
	if err != nil {
		s.t.Fatal(err)
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

// awaitLogged returns the lines of a log that hold all the words, as soon as
// there is one: the client has its answer before the log has its line.
func (s *site) awaitLogged(file string, words ...string) []string {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if lines := s.logged(file, words...); len(lines) > 0 {
			return lines
		}
		if time.Now().After(end) {
			s.t.Fatalf("no line of %s has %q", file, words)
		}
	}
}

// set switches a fault.
func set(t *testing.T, s *sandbox.Server, f sandbox.Fault) {
	t.Helper()
	if err := s.Set(f); err != nil {
		t.Fatal(err)
	}
}
