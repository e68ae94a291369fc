package standby

import (
	"context"
	"slices"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Chain is the stand-ins of a route in the order in which they are asked.
type Chain []*StandIn

// arrange puts those last that always have an answer: no stand-in behind them would
// ever be asked.
func (c Chain) arrange() {
	slices.SortStableFunc(c, func(a, b *StandIn) int { return a.rank() - b.rank() })
}

func (s *StandIn) rank() int {
	if _, last := s.StandIn.(standin.LastResort); last {
		return 1
	}
	return 0
}

// Models reports whether one of the stand-ins is a model.
func (c Chain) Models() bool {
	return slices.ContainsFunc(c, func(s *StandIn) bool { return s.Model() })
}

// Step is a stand-in that did not answer.
type Step struct {
	StandIn *StandIn
	Reason  session.Reason
	Err     error // for logs; nil where it was not asked
}

// Result says how a turn went.
type Result struct {
	// Spoke is who answered, or began to; nil for nobody.
	Spoke *StandIn

	// Reason and Err are as [StandIn.Answer] has them for who spoke. For nobody they
	// are those of the last one that was tried.
	Reason session.Reason
	Err    error

	// Steps are the stand-ins that did not speak, in order.
	Steps []Step
}

// Stage is where an answer is given.
type Stage interface {
	// Enter is called once, by the stand-in that begins to speak, before its first
	// text. An error means that nobody wants the answer.
	Enter(s *StandIn) error
	standin.Writer
}

// Answer asks one stand-in after another, until one begins to speak: that one is left
// alone with the turn. Models are asked only where models is set. An answer without a
// text, and a refusal of this caller's words, go on to the next one too; only a client
// that has left, or a stage that is shut, ends the chain.
func (c Chain) Answer(ctx context.Context, t *standin.Turn, models bool, stage Stage) (r Result) {
	for _, s := range c {
		if s.Model() && !models {
			continue
		}
		w := &entrance{speaker: s, stage: stage}
		r.Reason, r.Err = s.Answer(ctx, t, w)
		if w.entered {
			r.Spoke = s
			return r
		}
		r.Steps = append(r.Steps, Step{s, r.Reason, r.Err})
		if ctx.Err() != nil || w.shut {
			return r
		}
	}
	return r
}

// entrance lets a stand-in enter the stage with its first text.
type entrance struct {
	speaker *StandIn
	stage   Stage
	entered bool
	shut    bool // nobody wants the answer
}

// Text implements [standin.Writer].
func (e *entrance) Text(delta string) error {
	if !e.entered {
		if err := e.stage.Enter(e.speaker); err != nil {
			e.shut = true
			return err
		}
		e.entered = true
	}
	return e.stage.Text(delta)
}

// Usage implements [standin.UsageWriter].
func (e *entrance) Usage(in, out int) {
	if u, ok := e.stage.(standin.UsageWriter); ok {
		u.Usage(in, out)
	}
}
