package turn

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// readOn reads the backend's stream to its end, whenever no client does.
func (t *Turn) readOn() {
	t.pumped = true
	for !t.over {
		if t.answer.reading {
			t.wait()
			continue
		}
		t.advance()
	}
}

// advance reads more of the stream, or ends the turn.
func (t *Turn) advance() {
	if err := t.step(); err != nil {
		t.finish(t.judgeEnd(err))
	}
}

// step reads the next frames, without the lock, and shows them. Its error is that of
// the stream.
func (t *Turn) step() error {
	a := &t.answer
	a.reading = true
	frames := a.frames
	t.unlock()
	chunk, err := next(frames)
	t.mu.Lock()
	a.reading = false
	if t.over {
		t.closeAnswer()
		t.news.Broadcast()
		return nil
	}
	switch {
	case a.isLate:
		err = ErrFirstToken
	case err == nil:
		t.publish(chunk)
		return nil
	}
	t.news.Broadcast()
	return err
}

// next reads the next frames. A panic is an error.
func next(frames *chatkit.Reader) (chunk []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return frames.Next()
}

// publish shows what was read.
func (t *Turn) publish(chunk []byte) {
	a := &t.answer
	a.within, a.failed = a.frames.Within(), a.progress.Failed()
	if a.within && t.tape.keep {
		t.tape.giveUp() // a frame that long is not kept
	}
	before := t.tape.end
	t.put(chunk)
	t.note()
	if len(t.clients) == 0 {
		if t.unread += int64(len(chunk)); t.unread > MaxUnread && t.visible {
			t.finish(Canceled, ErrCanceled)
		}
	}
	if !t.tape.keep {
		t.dropLaggards(before)
		t.trim()
	}
	t.news.Broadcast()
}

// put appends frames to the tape, and ours behind the first.
func (t *Turn) put(chunk []byte) {
	a := &t.answer
	if a.told || len(a.Behind) == 0 || a.within || !a.progress.Started() {
		t.tape.append(chunk)
		return
	}
	a.told = true
	n := chatkit.FirstFrame(chunk)
	if n == 0 { // it began in an earlier one
		n = len(chunk)
	}
	t.tape.append(chunk[:n])
	t.tape.append(a.Behind)
	t.tape.append(chunk[n:])
	if a.Told != nil {
		t.after = append(t.after, a.Told)
	}
}

// note tells what the frames have said.
func (t *Turn) note() {
	a := &t.answer
	if !t.content && a.progress.Content() {
		t.content = true
		stop(a.late)
		t.judge(OK, nil)
		after := time.Since(t.began)
		t.later(func(o Observer) { o.FirstToken(after) })
	}
	if !t.named && t.r.Thread != "" && a.progress.Started() {
		t.named = true
		t.later(func(o Observer) { o.Accepted(t.r.Thread) })
	}
	if thread := a.progress.Thread(); thread != "" && !a.created {
		a.created = true
		t.later(func(o Observer) { o.Accepted(thread) })
	}
}

// judgeEnd returns how a stream ended, and why. It shows what is left of it.
func (t *Turn) judgeEnd(err error) (End, error) {
	a := &t.answer
	rest := a.frames.Rest()
	switch {
	case a.isLate:
		return FirstToken, ErrFirstToken
	case a.progress.Failed():
		return Error, nil
	case err != io.EOF: //nolint:errorlint // a wrapped one is an error, not the end
		return errorOf(err), err
	case a.frames.Within() || !chatkit.Whole(rest):
		return Cut, io.ErrUnexpectedEOF
	}
	if len(rest) > 0 {
		a.progress.See(rest)
		t.publish(append(slices.Clip(rest), "\n\n"...))
	}
	switch {
	case a.progress.Failed():
		return Error, nil
	case !a.progress.Started() && t.r.Thread != "":
		return UnknownThread, nil
	case !a.progress.Started():
		return Empty, nil
	case a.progress.Unfinished():
		return Unfinished, nil
	}
	return OK, nil
}
