package outage

import (
	"context"
	"io"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Turn returns the stream of a turn that stand-ins answer. They are asked while it is
// read; it ends with ctx, and when it is closed. What was said until then is kept.
func (c *Chat) Turn(ctx context.Context, who *Caller, call *chatkit.Call) io.ReadCloser {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = r.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer cancel()
		t := &turn{chat: c, who: who, call: call, ctx: ctx, keep: context.WithoutCancel(ctx), w: w}
		t.run()
		stop()
		_ = w.Close()
	}()
	return &stream{r, cancel}
}

// stream is the reading end of a turn.
type stream struct {
	*io.PipeReader

	cancel context.CancelFunc
}

// Close implements [io.Closer].
func (s *stream) Close() error {
	s.cancel()
	return s.PipeReader.Close()
}

// turn is one turn on its way to the client.
type turn struct {
	chat *Chat
	who  *Caller
	call *chatkit.Call
	ctx  context.Context //nolint:containedctx // of the turn, whose only method returns when it is over
	keep context.Context //nolint:containedctx // as ctx, but lives on: what was said is kept
	w    *io.PipeWriter

	thread  string
	message string // id of the answer
	began   time.Time
	text    []byte // of the answer
	lost    bool   // nobody reads the turn
}

// run answers the turn.
func (t *turn) run() {
	history, refusal := t.begin()
	if refusal != nil {
		t.emit(refusal.Frame())
		return
	}
	t.emit(chatkit.StreamOptions(true))
	r := t.chat.Ask(t.ctx, &standin.Turn{
		History: history, Safety: t.who.Safety, RequestID: t.who.RequestID, Replace: t.who.Replace,
	}, t.chat.mayAsk(t.who), t)
	t.remember()
	t.end(r)
}

// end writes how the turn ends.
func (t *turn) end(r Result) {
	switch {
	case t.lost || r == Left:
		return
	case t.message == "":
		t.emit(silent.Frame())
		return
	case r == Broken || r == Silent:
		t.emit(broken.Frame())
		return
	}
	text := string(t.text)
	t.emit(chatkit.PartDone(t.message, text))
	t.emit(chatkit.ItemDone(chatkit.NewAssistantMessage(t.message, t.thread, t.began, text)))
	if r == Incomplete {
		t.emit(chatkit.NoticeEvent{Level: chatkit.Warning, Message: cutMessage, Title: cutTitle}.Frame())
	}
}

// emit writes a frame. The reader may be gone.
func (t *turn) emit(frame []byte) {
	if _, err := t.w.Write(frame); err != nil {
		t.lost = true
	}
}

// Enter implements [Stage].
func (t *turn) Enter(title, message string) error {
	t.message, t.began = chatkit.NewID("msg_"), time.Now()
	if title != "" || message != "" {
		t.emit(chatkit.NoticeEvent{Level: chatkit.Warning, Message: message, Title: title}.Frame())
	}
	t.emit(chatkit.ItemAdded(chatkit.NewAssistantMessage(t.message, t.thread, t.began, "")))
	t.emit(chatkit.PartAdded(t.message))
	return t.gone()
}

// Text implements [standin.Writer].
func (t *turn) Text(delta string) error {
	delta = valid(delta)
	if delta == "" {
		return t.gone()
	}
	t.text = append(t.text, delta...)
	t.emit(chatkit.TextDelta(t.message, delta))
	return t.gone()
}

// gone returns an error where nobody reads the turn any more.
func (t *turn) gone() error {
	if t.lost {
		return context.Canceled
	}
	return t.ctx.Err()
}

// remember keeps what the stand-in has said, all or a part of it.
func (t *turn) remember() {
	if t.message == "" || len(t.text) == 0 {
		return
	}
	t.chat.change(t.keep, t.who, t.thread, func(th *threads.Thread) {
		th.Changed = time.Now()
		if !th.Own() {
			th.Spoken++
		}
		th.Items = append(th.Items, threads.Item{ID: t.message, At: t.began, Role: standin.Assistant, Text: string(t.text),
			Said: true, Missed: t.chat.Handback})
	})
}
