package sandbox_test

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestWhatAClientSees(t *testing.T) {
	for _, k := range kinds {
		s, c := k.run(t, sandbox.Options{Key: testKey}), newClient(t)
		for _, f := range sandbox.Faults() {
			if f == sandbox.Hang {
				continue // TestHang
			}
			t.Run(k.name+"/"+string(f), func(t *testing.T) {
				check, ok := looks[f]
				if !ok {
					t.Fatal("no check for this fault")
				}
				set(t, s, f)
				s.Clear()
				got := k.ask(t, c, s)
				check(t, k, got)
				want := 1
				if f == sandbox.Refuse {
					want = 0
				}
				if s.Calls() != want || len(s.Requests()) != want {
					t.Errorf("calls %d, requests %d, want %d", s.Calls(), len(s.Requests()), want)
				}
			})
		}
	}
}

func TestIssuedHoldsWhatWasHandedOut(t *testing.T) {
	silent := []sandbox.Fault{sandbox.EmptySecret, sandbox.Refuse, sandbox.Reset, sandbox.Hang}
	for _, k := range kinds {
		s, c := k.run(t, sandbox.Options{}), newClient(t)
		for _, f := range sandbox.Faults() {
			if slices.Contains(silent, f) {
				continue
			}
			t.Run(k.name+"/"+string(f), func(t *testing.T) {
				set(t, s, f)
				s.Clear()
				got := k.ask(t, c, s)
				answer, err := got.decode()
				if err != nil || answer[k.secret] == nil {
					return // no whole session reached the client
				}
				if issued := s.Issued(); len(issued) != 1 || issued[0] != text(answer[k.secret]) {
					t.Errorf("issued %.80q, client got %.80q", issued, answer[k.secret])
				}
			})
		}
	}
}

func TestSlowIsLate(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			s, c := k.run(t, sandbox.Options{}), newClient(t)
			set(t, s, sandbox.Slow)
			begin := time.Now()
			wantSession(t, k, k.ask(t, c, s))
			if took := time.Since(begin); took < slowForTests {
				t.Errorf("answered after %v", took)
			}
		})
	}
}

// If the real service would refuse a request, faults of the session do not change
// the refusal: there is no session.
func TestFaultsOfASessionNeedOne(t *testing.T) {
	spoilers := []sandbox.Fault{
		sandbox.Cut, sandbox.CutChunked, sandbox.Huge, sandbox.Expired, sandbox.Numeric, sandbox.Slow,
	}
	for _, k := range kinds {
		s, c := k.run(t, sandbox.Options{Key: "another key"}), newClient(t)
		for _, f := range spoilers {
			t.Run(k.name+"/"+string(f), func(t *testing.T) {
				set(t, s, f)
				if got := k.ask(t, c, s); got.status != 401 || got.bodyErr != nil {
					t.Errorf("got %d (%v), want 401 whole", got.status, got.bodyErr)
				}
				if n := len(s.Issued()); n != 0 {
					t.Errorf("%d secrets issued to a stranger", n)
				}
			})
		}
	}
}
