package turn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// errNoAnswer is the error of an answer without a body.
var errNoAnswer = errors.New("no answer, and no error")

// maxHeld is how much of an answer is held, in bytes. What comes before the content
// is three frames; an answer that says so much else is shown.
const maxHeld = 256 << 10

// answer is an answer while it is read.
type answer struct {
	*Answer

	cancel context.CancelCauseFunc
	judged bool
	closed bool
	held   bool // until it shows content
	late   *time.Timer
	isLate bool

	// Of who reads it.
	frames   *chatkit.Reader
	progress *chatkit.Progress

	// What is known of the frames that are shown.
	reading bool
	within  bool // the last one is not whole
	failed  bool // it is an error event
	told    bool // our frame is behind the first
	created bool // the observer knows the thread that was created
}

// asker is [Request.Ask].
type asker func(ctx context.Context, last End) (*Answer, error)

// run asks for answers until one is shown, and reads it on if no client does.
func (t *Turn) run(ask asker, settled func()) {
	last, cause := End(""), error(nil)
	for {
		ctx, cancel := context.WithCancelCause(t.ctx)
		got, err := ask.safely(ctx, last)
		t.mu.Lock()
		switch {
		case t.over:
			t.discard(got, cancel)
		case err != nil:
			cancel(err)
			t.unanswered(last, cause, err)
		case t.take(got, cancel):
			if last, cause = t.hold(); last != "" {
				t.unlock()
				continue
			}
			t.show()
		}
		if settled != nil {
			t.after = append(t.after, settled)
		}
		if !t.over && len(t.clients) == 0 {
			t.readOn()
		}
		t.unlock()
		return
	}
}

// safely asks for an answer. A panic is an error, and so is no answer.
func (ask asker) safely(ctx context.Context, last End) (a *Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	if a, err = ask(ctx, last); err == nil && (a == nil || a.Body == nil) {
		err = errNoAnswer
	}
	return a, err
}

// unanswered ends a turn that nobody answers (any more).
func (t *Turn) unanswered(last End, cause, err error) {
	if last == "" {
		t.finish(Failed, err)
		return
	}
	t.finish(last, fmt.Errorf("%w (%w)", err, cause))
}

// discard drops an answer that comes when the turn is over.
func (t *Turn) discard(got *Answer, cancel context.CancelCauseFunc) {
	cancel(context.Cause(t.ctx))
	if got == nil {
		return
	}
	t.answer = answer{Answer: got}
	t.judge(t.end, context.Cause(t.ctx))
	t.closeAnswer()
}

// take begins to read an answer. It reports false for one that passes.
func (t *Turn) take(got *Answer, cancel context.CancelCauseFunc) bool {
	a := answer{Answer: got, cancel: cancel, progress: new(chatkit.Progress)}
	a.frames = chatkit.NewReader(got.Body, a.progress.See)
	a.held = t.r.FirstToken > 0 && got.More
	t.answer = a
	if got.Passes {
		t.finish(Passed, nil)
		if t.owner.gone {
			t.cancel(ErrCanceled)
			t.closeAnswer()
		}
		return false
	}
	if got.StandIn && len(t.clients) == 0 { // lost while others were asked
		t.finish(Canceled, ErrCanceled)
		return false
	}
	if t.r.FirstToken > 0 && !got.StandIn {
		asked := got.Asked
		if asked.IsZero() {
			asked = time.Now()
		}
		t.answer.late = time.AfterFunc(time.Until(asked.Add(t.r.FirstToken)), func() { t.tooLate(got) })
	}
	return true
}

// hold reads an answer until it shows content, if there is somewhere else to go. It
// returns how it broke before, if it did.
func (t *Turn) hold() (End, error) {
	for t.answer.held && !t.content && !t.over && t.tape.end < maxHeld {
		err := t.step()
		if err == nil {
			continue
		}
		e, cause := t.judgeEnd(err)
		if !e.Broken() {
			t.finish(e, cause)
			break
		}
		t.judge(e, cause)
		t.answer.cancel(cause)
		stop(t.answer.late)
		t.closeAnswer()
		t.answer = answer{}
		t.tape.reset()
		return e, cause
	}
	t.answer.held = false
	return "", nil
}

// tooLate ends an answer that shows no content in time.
func (t *Turn) tooLate(of *Answer) {
	t.mu.Lock()
	defer t.unlock()
	switch {
	case t.answer.Answer != of || t.content || t.over:
	case t.answer.held:
		t.answer.isLate = true
		t.answer.cancel(ErrFirstToken)
	default:
		t.finish(FirstToken, ErrFirstToken)
	}
}

// judge tells who gave the answer what is to be thought of it.
func (t *Turn) judge(e End, err error) {
	a := t.answer
	if a.Answer == nil || a.judged || a.Judge == nil {
		return
	}
	t.answer.judged = true
	t.after = append(t.after, func() { a.Judge(e, err) })
}

// closeAnswer closes the answer's body, once. If somebody reads it just now, that is
// who closes it.
func (t *Turn) closeAnswer() {
	a := &t.answer
	if a.Answer == nil || a.reading || a.closed {
		return
	}
	a.closed = true
	body := a.Body
	t.after = append(t.after, func() { _ = body.Close() })
}
