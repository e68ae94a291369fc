package outage

import (
	"context"
	"io"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

// Owed returns the notice that a caller gets in a backend's thread, behind the first
// frame of a turn that a backend answers there: nil, unless a stand-in has spoken there
// since the last one. [Chat.Told] says that it was shown.
func (c *Chat) Owed(ctx context.Context, who *Caller, thread string) []byte {
	if thread == "" {
		return nil
	}
	if t := c.get(ctx, who, thread); t == nil || t.Spoken == 0 {
		return nil
	}
	return chatkit.NoticeEvent{Level: chatkit.Info, Message: missedMessage, Title: missedTitle}.Frame()
}

// Told notes that a caller knows what stand-ins have said in a thread. From here on it
// is as old as what has passed by.
func (c *Chat) Told(ctx context.Context, who *Caller, thread string) {
	left := false
	c.change(ctx, who, thread, func(t *threads.Thread) {
		t.Spoken = 0
		for i := range t.Items {
			t.Items[i].Said = t.Items[i].Missed
		}
		c.forget(t)
		left = len(t.Items) > 0
	})
	if !left {
		c.Forget(ctx, who, thread)
	}
}

// Watch returns the stream of a backend's turn, and remembers the messages that pass
// by in it.
func (c *Chat) Watch(ctx context.Context, who *Caller, call *chatkit.Call, stream io.ReadCloser) io.ReadCloser {
	if c.Memory.Items == 0 {
		return stream
	}
	if call.Type == chatkit.ThreadsRetryAfterItem {
		c.change(ctx, who, call.Thread, func(t *threads.Thread) {
			t.Items = t.Items[:t.Find(call.Item)+1]
		})
	}
	w := &watched{chat: c, who: who, ctx: context.WithoutCancel(ctx), thread: call.Thread, Closer: stream}
	w.frames = chatkit.NewReader(stream, w.see)
	return w
}

// watched is a stream whose messages are remembered.
type watched struct {
	io.Closer

	chat   *Chat
	who    *Caller
	ctx    context.Context //nolint:containedctx // of the stream
	thread string
	frames *chatkit.Reader
	left   []byte // of what was read
	rest   bool   // the last bytes were shown
}

// Read implements [io.Reader].
func (w *watched) Read(p []byte) (int, error) {
	for len(w.left) == 0 {
		chunk, err := w.frames.Next()
		if err != nil {
			if rest := w.frames.Rest(); !w.rest && len(rest) > 0 {
				w.rest, w.left = true, rest
				break
			}
			return 0, err
		}
		w.left = chunk
	}
	n := copy(p, w.left)
	w.left = w.left[n:]
	return n, nil
}
