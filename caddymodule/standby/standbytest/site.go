package standbytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Site is a real Caddy whose stand-ins answer at /turn. It has the providers of
// [testsite.TwoProviders] too.
type Site struct{ *testsite.Site }

// New loads a site with stand-ins: lines that begin with standin, and their blocks.
func New(t *testing.T, standIns string) *Site {
	t.Helper()
	s := &Site{testsite.NewUnloaded(t)}
	if err := s.TryLoad(standIns); err != nil {
		t.Fatal(err)
	}
	return s
}

// TryLoad loads other stand-ins, which may be refused.
func (s *Site) TryLoad(standIns string) error {
	err := s.TryLoadText(strings.Replace(s.Caddyfile(testsite.TwoProviders), "chatkit {",
		directive+" {\n"+standIns+"\n}\nchatkit {", 1))
	s.Client.CloseIdleConnections()
	for range 10 { // a reload can cost the first connection behind it
		if _, err := s.Try(http.MethodGet, "/", ""); err == nil {
			break
		}
	}
	return err
}

// Turn lets the stand-ins answer.
func (s *Site) Turn(t Turn, headers ...string) (a Answer) {
	s.T.Helper()
	body, err := json.Marshal(t)
	if err != nil {
		s.T.Fatal(err)
	}
	got := s.Post("/turn", string(body), headers...)
	if got.Status != http.StatusOK {
		s.T.Fatalf("answered %d %q", got.Status, got.Raw)
	}
	if err := json.Unmarshal([]byte(got.Raw), &a); err != nil {
		s.T.Fatal(err)
	}
	return a
}

// Ask asks one question, as a caller with this hash.
func (s *Site) Ask(safety, question string) Answer {
	s.T.Helper()
	return s.Turn(Turn{Safety: safety, History: []standin.Message{{Role: standin.User, Text: question}}})
}

// String returns an answer in short: who spoke, the text, how it ended, and who did not
// speak.
func (a Answer) String() string {
	end := string(a.Reason)
	if a.Cut != "" {
		end = "cut " + a.Cut
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s|%s|%s", a.Spoke, a.Text, end, strings.Join(a.Steps, ", ")))
}
