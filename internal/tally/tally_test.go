package tally_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/tally"
)

// A failure begins an outage, more of them do not restart it, and a success ends
// it.
func TestFailingSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tally.New()
		if h := p.Health(); !h.FailingSince.IsZero() || !h.LastSuccess.IsZero() || h.LastError != "" {
			t.Errorf("at first: got %+v", h)
		}
		p.Works(true, time.Millisecond)
		success := time.Now()
		time.Sleep(time.Minute)
		began := time.Now()
		for range 3 { // the later ones as failed probes
			p.Fails("dial", time.Millisecond)
			time.Sleep(20 * time.Second)
		}
		if h := p.Health(); !h.FailingSince.Equal(began) || !h.LastSuccess.Equal(success) || h.LastError != "dial" {
			t.Errorf("after failures: got %+v, want since %s", h, began)
		}
		p.Works(false, time.Millisecond)
		if h := p.Health(); !h.FailingSince.IsZero() || !h.LastSuccess.Equal(success) || h.LastError != "dial" {
			t.Errorf("after it refused a caller: got %+v", h)
		}
		p.Works(true, time.Millisecond)
		if h := p.Health(); !h.LastSuccess.Equal(time.Now()) {
			t.Errorf("after a success: got %+v", h)
		}
	})
}

func TestSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tally.New()
		if s := p.Over(tally.Short); s != (tally.Summary{}) {
			t.Errorf("at first: got %+v", s)
		}
		time.Sleep(10 * time.Second)
		for i := range 40 {
			p.Answered(i < 10)
			p.Works(true, time.Duration(1+i%2)*time.Millisecond)
		}
		want := tally.Summary{Rate: 1, Share: 0.25, Answered: 40, Latency: 1500 * time.Microsecond, Attempts: 40}
		if s := p.Over(tally.Short); s != want {
			t.Errorf("after 10 seconds: got %+v, want %+v", s, want)
		}
		time.Sleep(59 * time.Second)
		if s := p.Over(tally.Short); s.Answered != 40 || s.Rate != 10./60 {
			t.Errorf("after 59 seconds more: got %+v", s)
		}
		time.Sleep(time.Second)
		if s := p.Over(tally.Short); s != (tally.Summary{}) {
			t.Errorf("a minute later: got %+v", s)
		}
		p.Answered(true)
		if s := p.Over(tally.Long); s.Answered != 41 || s.Share != 11./41 || s.Rate != 11./70 {
			t.Errorf("over five minutes: got %+v", s)
		}
		time.Sleep(tally.Long - time.Second)
		if s := p.Over(tally.Long); s.Answered != 1 {
			t.Errorf("after five minutes: got %+v", s)
		}
		time.Sleep(time.Hour)
		if s := p.Over(tally.Long); s != (tally.Summary{}) {
			t.Errorf("after an hour: got %+v", s)
		}
	})
}

// Counting takes no memory.
func TestCountingDoesNotAllocate(t *testing.T) {
	p := tally.New()
	if n := testing.AllocsPerRun(100, func() {
		p.Answered(true)
		p.Works(true, time.Millisecond)
		p.Fails("dial", time.Millisecond)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tally.New()
		begun := time.Now()
		p.Begin("closed")
		p.Begin("open") // late: it has begun
		want := func(when string, states ...tally.Moment) {
			t.Helper()
			got := p.States()
			if len(got) != len(states) {
				t.Fatalf("%s: got %v, want %v", when, got, states)
			}
			for i, m := range got {
				if m.State != states[i].State || !m.At.Equal(states[i].At) {
					t.Errorf("%s: got %v, want %v", when, got, states)
				}
			}
		}
		want("at first", tally.Moment{State: "closed", At: begun})
		time.Sleep(30 * time.Minute)
		opened := time.Now()
		p.Changed("open")
		time.Sleep(15 * time.Minute)
		p.Changed("closed")
		closed := time.Now()
		want("in the hour", tally.Moment{State: "closed", At: begun}, tally.Moment{State: "open", At: opened}, tally.Moment{State: "closed", At: closed})
		time.Sleep(20 * time.Minute) // 65 minutes after the beginning
		want("the first is still what the hour began in",
			tally.Moment{State: "closed", At: begun}, tally.Moment{State: "open", At: opened}, tally.Moment{State: "closed", At: closed})
		time.Sleep(time.Hour)
		want("much later", tally.Moment{State: "closed", At: closed})
	})
}

func TestStatesAreBounded(t *testing.T) {
	p := tally.New()
	p.Begin("closed")
	for range 5000 {
		p.Changed("open")
	}
	p.Changed("closed")
	if got := p.States(); len(got) != 1000 || got[999].State != "closed" {
		t.Errorf("kept %d", len(got))
	}
}
