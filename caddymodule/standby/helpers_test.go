package standby

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// script is a stand-in that does what a test says.
type script struct {
	model  bool
	calls  int
	answer func(ctx context.Context, w standin.Writer) error
}

func (*script) Notice() (title, message string) { return "title", "message" }
func (s *script) Model() bool                   { return s.model }

func (s *script) Answer(ctx context.Context, _ *standin.Turn, w standin.Writer) error {
	s.calls++
	return s.answer(ctx, w)
}

// last is one that always has an answer.
type last struct{ *script }

func (last) LastResort() {}

// says writes texts, then returns err.
func says(err error, texts ...string) func(context.Context, standin.Writer) error {
	return func(_ context.Context, w standin.Writer) error {
		for _, text := range texts {
			if err := w.Text(text); err != nil {
				return err
			}
		}
		return err
	}
}

// stage takes an answer.
type stage struct {
	entered []string
	parts   []string
	in, out int
	slow    time.Duration
	refuse  error // of Text
	shut    error // of Enter
}

func (s *stage) Enter(who *StandIn) error {
	s.entered = append(s.entered, who.Name)
	return s.shut
}

func (s *stage) Text(delta string) error {
	time.Sleep(s.slow)
	s.parts = append(s.parts, delta)
	return s.refuse
}

func (s *stage) Usage(in, out int) { s.in, s.out = in, out }

func (s *stage) text() string { return strings.Join(s.parts, "") }

// cap is a bucket with that many tokens.
type bucket int

func (b *bucket) Take() time.Duration {
	if *b == 0 {
		return time.Second
	}
	*b--
	return 0
}

func (b *bucket) Wait() time.Duration { return 0 }

const patience = 10 * time.Second

// of returns a stand-in around a script, its breaker and what its observer sees.
func of(t *testing.T, name string, s standin.StandIn) (*StandIn, *chaintest.Breaker, *chaintest.Log) {
	t.Helper()
	b, log := &chaintest.Breaker{T: t}, &chaintest.Log{T: t}
	target := &chain.Target{Name: name, Breaker: b, Observer: log.Observer(name)}
	return &StandIn{StandIn: s, Name: name, timeout: patience, target: target}, b, log
}

var turn = &standin.Turn{RequestID: "r1", Safety: "hash"}

var failure = &session.Failure{Status: 500}
