package outage

import (
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// begin writes the frames in front of an answer, and returns the conversation that is
// to be answered, or why it is not.
func (t *turn) begin() ([]standin.Message, *chatkit.ErrorEvent) {
	t.thread = t.call.Thread
	if refusal := t.closed(); refusal != nil {
		return nil, refusal
	}
	switch t.call.Type {
	case chatkit.ThreadsCreate, chatkit.ThreadsAddUserMessage:
		return t.said()
	case chatkit.ThreadsRetryAfterItem:
		return t.again()
	case chatkit.ThreadsAddClientToolOutput:
		return t.history()
	default:
		return nil, &actionWaits
	}
}

// closed refuses a turn in a thread of a stand-in's own that is closed, and tells the
// front end so.
func (t *turn) closed() *chatkit.ErrorEvent {
	if !threads.Own(t.thread) {
		return nil
	}
	th := t.chat.get(t.ctx, t.who, t.thread)
	s := t.chat.status(th)
	if s.Type != chatkit.Closed {
		return nil
	}
	p := lost(t.thread, s)
	if th != nil {
		p = protocol(th, s)
	}
	t.emit(chatkit.ThreadUpdated(p))
	return &chatkit.ErrorEvent{Message: s.Reason}
}

// said takes a new message of the user's.
func (t *turn) said() ([]standin.Message, *chatkit.ErrorEvent) {
	in := t.call.Input
	text := in.Text()
	switch {
	case len(in.Attachments) > 0:
		return nil, &attachmentWaits
	case len(text) > maxInput:
		return nil, &tooLongWaits
	case text == "":
		return nil, &noMessage
	}
	now := time.Now()
	t.open(now, text)
	item := threads.Item{ID: chatkit.NewID("msg_"), At: now, Role: standin.User, Text: text, Input: in,
		Said: true, Missed: t.chat.Handback}
	t.chat.change(t.ctx, t.who, t.thread, func(th *threads.Thread) {
		th.Changed, th.Stranger = now, !t.who.Known
		th.Items = append(th.Items, item)
	})
	t.emit(chatkit.ItemDone(item.Protocol(t.thread)))
	history, refusal := t.history()
	if refusal != nil { // the store has lost it already
		return []standin.Message{{Role: standin.User, Text: text}}, nil
	}
	return history, nil
}

// open makes sure that there is a thread for the message.
func (t *turn) open(now time.Time, text string) {
	if t.call.Type != chatkit.ThreadsCreate {
		if !threads.Own(t.thread) && t.chat.get(t.ctx, t.who, t.thread) == nil {
			t.chat.put(t.ctx, t.who, t.thread)
		}
		return
	}
	t.thread = chatkit.NewID(threads.Prefix)
	t.chat.put(t.ctx, t.who, t.thread)
	t.chat.change(t.ctx, t.who, t.thread, func(th *threads.Thread) { th.Title = title(text) })
	t.emit(chatkit.ThreadCreated(chatkit.NewThread(t.thread, now)))
}

// again drops what follows a message of the user's, to answer that once more.
func (t *turn) again() ([]standin.Message, *chatkit.ErrorEvent) {
	found := false
	t.chat.change(t.ctx, t.who, t.thread, func(th *threads.Thread) {
		at := th.Find(t.call.Item)
		if found = at >= 0 && th.Items[at].Role == standin.User; found {
			th.Items, th.Changed = th.Items[:at+1], time.Now()
		}
	})
	if !found {
		return nil, &noMessage
	}
	return t.history()
}

// history returns the conversation up to the last message of the user's.
func (t *turn) history() ([]standin.Message, *chatkit.ErrorEvent) {
	th := t.chat.get(t.ctx, t.who, t.thread)
	if th == nil {
		return nil, &noMessage
	}
	history := th.History()
	if len(history) == 0 {
		return nil, &noMessage
	}
	return history, nil
}

// valid returns a text as JSON can hold it.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
