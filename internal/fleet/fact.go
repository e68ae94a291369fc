package fleet

import (
	"encoding/json"
	"fmt"
	"time"
)

// Kind is what something that is told is about, as a metric label.
type Kind string

// The kinds.
const (
	Opened   Kind = "open"     // a breaker opened
	Closed   Kind = "closed"   // a probe closed it
	Cooled   Kind = "cooldown" // a provider asked to be left alone
	Forced   Kind = "forced"   // an operator holds a provider in a state
	Released Kind = "released" // and no more
	Freed    Kind = "lease"    // a probe told nothing; another instance may try
	Session  Kind = "session"  // who issued a session
	Canceled Kind = "cancel"   // a session was cancelled
	Thread   Kind = "thread"   // whose a thread is
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Opened, Closed, Cooled, Forced, Released, Freed, Session, Canceled, Thread}
}

// Fact is what an instance knows of a provider.
type Fact struct {
	Kind Kind

	// Left is how long it holds.
	Left time.Duration

	// Nominal is the open time before jitter, of a breaker that opened.
	Nominal time.Duration

	// State is what an operator has forced.
	State string

	// Reason is why, By who has forced it.
	Reason, By string

	// Age is how long ago an operator has forced or released it.
	Age time.Duration
}

// wire is a fact, or a session that was cancelled, as it leaves the process.
type wire struct {
	Kind     Kind   `json:"k"`
	Subject  string `json:"p,omitempty"` // the provider or the session
	Left     int64  `json:"l,omitempty"` // milliseconds, like the other times
	Nominal  int64  `json:"n,omitempty"`
	Age      int64  `json:"a,omitempty"`
	State    string `json:"s,omitempty"`
	Reason   string `json:"r,omitempty"`
	By       string `json:"b,omitempty"`
	Instance string `json:"i,omitempty"`
	Sent     int64  `json:"t,omitempty"` // by the sender's clock, which alone reads it
}

func (w *wire) encode() []byte {
	raw, err := json.Marshal(w)
	if err != nil {
		panic(err) // it has texts and numbers only
	}
	return raw
}

func decodeWire(raw []byte) (w wire, err error) {
	if err := json.Unmarshal(raw, &w); err != nil {
		return w, fmt.Errorf("reading a fact: %w", err)
	}
	for _, ms := range []int64{w.Left, w.Nominal, w.Age} {
		if ms < 0 || ms > longest.Milliseconds() {
			return w, fmt.Errorf("reading a fact: %d ms are out of range", ms)
		}
	}
	return w, nil
}

// longest is more than any fact can hold.
const longest = 48 * time.Hour

func wireOf(f Fact, subject string) wire {
	return wire{
		Kind: f.Kind, Subject: subject, Left: f.Left.Milliseconds(), Nominal: f.Nominal.Milliseconds(),
		Age: f.Age.Milliseconds(), State: f.State, Reason: f.Reason, By: f.By,
	}
}

func (w *wire) fact() Fact {
	return Fact{
		Kind: w.Kind, Left: milliseconds(w.Left), Nominal: milliseconds(w.Nominal), Age: milliseconds(w.Age),
		State: w.State, Reason: w.Reason, By: w.By,
	}
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
