package standby

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// StandIn is a configured stand-in: the module, and what stands around it. It is safe
// for concurrent use.
type StandIn struct {
	standin.StandIn

	// Name is the configured name, Module that of the module.
	Name, Module string

	timeout time.Duration
	target  *chain.Target
}

// Answer lets the stand-in answer a turn. It returns [session.OK] and nil for a
// complete answer, [session.OK] and a [*standin.Incomplete] for one that was cut, and
// otherwise why there is none, or why it broke off. Where the stand-in was not asked, err
// is nil.
func (s *StandIn) Answer(ctx context.Context, t *standin.Turn, w standin.Writer) (session.Reason, error) {
	clock := newClock(ctx, s.timeout)
	defer clock.stop()
	a := &answer{to: w, clock: clock}
	try := chain.Attempt{
		RequestID: t.RequestID, Client: ctx, Context: clock, Session: true, // so that the cap counts
		// The hash of the caller is all that is known here. It tells callers apart.
		Caller: session.Caller{User: t.Safety},
		Life:   2 * s.timeout,
	}
	try.Call = func() error { return a.judge(s.StandIn.Answer(try.Context, t, a)) }
	v := s.target.Try(&try)
	switch {
	case v.Reason != session.OK:
		return v.Reason, try.Err
	case a.cut != nil:
		return session.OK, a.cut
	}
	return session.OK, nil
}

// WouldAnswer reports whether the stand-in would be asked now.
func (s *StandIn) WouldAnswer(safety string) bool {
	reason, _ := s.target.Breaker.Peek(session.Caller{User: safety})
	return reason == session.OK && (s.target.Cap == nil || s.target.Cap.Wait() == 0)
}

// answer is one answer on its way from the stand-in to who asked.
type answer struct {
	to    standin.Writer
	clock *clock

	text int   // bytes so far
	lost error // from the writer: nobody wants the rest
	cut  *standin.Incomplete
}

var (
	errTooLong  = errors.New("the answer is too long")
	errFiltered = errors.New("the model's filter let nothing through")
)

// Text implements [standin.Writer]. Whoever reads slowly does not use up the
// stand-in's time.
func (a *answer) Text(delta string) error {
	if delta == "" {
		return a.clock.Err()
	}
	if err := a.clock.pause(); err != nil {
		return err
	}
	defer a.clock.resume()
	if a.text+len(delta) > maxText {
		a.cut = &standin.Incomplete{Reason: standin.MaxTokens}
		return errTooLong
	}
	a.text += len(delta)
	if err := a.to.Text(delta); err != nil {
		a.lost = err
		return err
	}
	return nil
}

// Usage implements [standin.UsageWriter].
func (a *answer) Usage(in, out int) {
	if u, ok := a.to.(standin.UsageWriter); ok {
		u.Usage(in, out)
	}
}

// judge says what the end of an answer means to the breaker.
func (a *answer) judge(err error) error {
	if cut, ok := errors.AsType[*standin.Incomplete](err); ok && a.cut == nil {
		a.cut = cut
	}
	switch {
	case a.lost != nil:
		return &session.Failure{Reason: session.Canceled, Err: a.lost}
	case a.cut != nil && a.text > 0: // by us, too, whatever the stand-in makes of that
		return nil
	case a.cut != nil && a.cut.Reason == standin.ContentFilter:
		return &session.Failure{Reason: session.Rejected, Err: errFiltered}
	case a.cut == nil && err != nil:
		return err
	case a.text == 0:
		return session.Invalid("the answer has no text")
	}
	return nil
}
