package outage

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

// Serve returns the answer to a request that is no turn, in a thread of a stand-in's
// own, or while no backend answers. It is nil for what has to wait: a change to what
// is a backend's.
func (c *Chat) Serve(ctx context.Context, who *Caller, call *chatkit.Call) []byte {
	var answer any
	switch {
	case call.Type == chatkit.ThreadsList:
		answer = c.list(ctx, who, call.Page)
	case threads.Own(call.Thread):
		answer = c.serveOwn(ctx, who, call)
	default:
		answer = c.serveForeign(ctx, who, call)
	}
	if answer == nil {
		return nil
	}
	body, err := json.Marshal(answer)
	if err != nil {
		c.trouble(err)
		return nil
	}
	return body
}

// list returns the stand-ins' own threads of a caller.
func (c *Chat) list(ctx context.Context, who *Caller, page chatkit.PageRequest) any {
	var all []*threads.Thread
	if who.Lists {
		var err error
		all, err = c.Store.List(ctx, who.Owner)
		c.trouble(err)
	}
	rows := make([]chatkit.Thread, 0, len(all))
	for _, t := range all {
		if t.Own() {
			rows = append(rows, protocol(t, c.status(t)))
		}
	}
	return chatkit.PageOf(rows, page, func(t chatkit.Thread) string { return t.ID })
}

// serveOwn serves a request in a thread of a stand-in's own. One that is not known is
// closed and empty.
func (c *Chat) serveOwn(ctx context.Context, who *Caller, call *chatkit.Call) any {
	switch call.Type {
	case chatkit.ThreadsGetByID:
		return c.whole(c.get(ctx, who, call.Thread), call.Thread)
	case chatkit.ItemsList:
		return c.items(c.get(ctx, who, call.Thread), call)
	case chatkit.ThreadsUpdate:
		c.change(ctx, who, call.Thread, func(t *threads.Thread) { t.Title = title(call.Title) })
		p := c.whole(c.get(ctx, who, call.Thread), call.Thread)
		p.Items = chatkit.Page[chatkit.Item]{Data: []chatkit.Item{}}
		return p
	case chatkit.ThreadsDelete:
		c.Forget(ctx, who, call.Thread)
		return struct{}{}
	case chatkit.ItemsFeedback, chatkit.ThreadsSyncCustomAction:
		return struct{}{}
	default:
		return nil
	}
}

// serveForeign serves a request in a backend's thread, as far as that is possible
// without the backend.
func (c *Chat) serveForeign(ctx context.Context, who *Caller, call *chatkit.Call) any {
	if call.Thread == "" {
		return nil
	}
	t := c.get(ctx, who, call.Thread)
	switch call.Type {
	case chatkit.ThreadsGetByID:
		s := chatkit.Status{Type: chatkit.Active}
		if !c.mayAsk(who) {
			s = chatkit.Status{Type: chatkit.Locked, Reason: awayReason}
		}
		if t == nil {
			return lost(call.Thread, s)
		}
		return withItems(t, s)
	case chatkit.ItemsList:
		return c.items(t, call)
	default:
		return nil
	}
}

// whole returns a thread with its first items, oldest first.
func (c *Chat) whole(t *threads.Thread, id string) chatkit.Thread {
	if t == nil {
		return lost(id, c.status(nil))
	}
	return withItems(t, c.status(t))
}

func withItems(t *threads.Thread, s chatkit.Status) chatkit.Thread {
	p := protocol(t, s)
	p.Items = chatkit.PageOf(threads.Protocol(t.Items, t.ID), chatkit.PageRequest{Asc: true}, chatkit.ItemID)
	return p
}

// items returns a page of the items of a thread.
func (c *Chat) items(t *threads.Thread, call *chatkit.Call) any {
	if t == nil {
		t = &threads.Thread{ID: call.Thread}
	}
	return chatkit.PageOf(threads.Protocol(t.Items, t.ID), call.Page, chatkit.ItemID)
}

// Forget deletes what there is of a thread: its owner has deleted it.
func (c *Chat) Forget(ctx context.Context, who *Caller, thread string) {
	c.trouble(c.Store.Delete(ctx, threads.Key{Owner: who.Owner, ID: thread}))
}

// title returns a text as the title of a thread: its beginning, in one line.
func title(text string) string {
	const most = 80
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return strings.TrimSpace(string(slices.Clip(runes[:most-1]))) + "…"
	}
	return text
}
