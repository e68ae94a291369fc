package outage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// passing is what is of interest of an event.
type passing struct {
	Type   string `json:"type"`
	ItemID string `json:"item_id"`
	Thread struct {
		ID string `json:"id"`
	} `json:"thread"`
	Item struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"item"`
}

// itemUpdated is in most frames, of which none is of interest.
var itemUpdated = []byte("thread.item.updated")

// roles are the roles by the types of items.
var roles = map[string]standin.Role{"user_message": standin.User, "assistant_message": standin.Assistant}

// see takes a frame that passes by.
func (w *watched) see(frame []byte) {
	if len(frame) > maxInput || bytes.Contains(frame[:min(len(frame), 64)], itemUpdated) {
		return
	}
	var e passing
	if json.Unmarshal(chatkit.Data(frame), &e) != nil {
		return
	}
	switch e.Type {
	case "thread.created":
		w.thread = cmp.Or(w.thread, e.Thread.ID)
	case "thread.item.removed":
		w.chat.change(w.ctx, w.who, w.thread, func(t *threads.Thread) {
			t.Items = slices.DeleteFunc(t.Items, func(i threads.Item) bool { return i.ID == e.ItemID })
		})
	case "thread.item.done", "thread.item.replaced":
		w.item(&e)
	}
}

// item takes a message that is complete.
func (w *watched) item(e *passing) {
	role, ok := roles[e.Item.Type]
	if !ok || w.thread == "" || threads.Own(w.thread) {
		return
	}
	var text strings.Builder
	for _, part := range e.Item.Content {
		text.WriteString(part.Text)
	}
	if s := strings.TrimSpace(text.String()); s != "" {
		w.chat.passed(w.ctx, w.who, w.thread, threads.Item{ID: e.Item.ID, At: time.Now(), Role: role, Text: s})
	}
}

// passed remembers a message of a backend's thread.
func (c *Chat) passed(ctx context.Context, who *Caller, thread string, item threads.Item) {
	add := func(t *threads.Thread) {
		if at := t.Find(item.ID); at >= 0 {
			t.Items = slices.Delete(t.Items, at, at+1)
		}
		t.Items, t.Changed = append(t.Items, item), item.At
		c.forget(t)
	}
	if !c.change(ctx, who, thread, add) {
		c.put(ctx, who, thread)
		c.change(ctx, who, thread, add)
	}
}

// forget drops what is not remembered any more of a backend's thread.
func (c *Chat) forget(t *threads.Thread) {
	if t == nil || t.Own() {
		return
	}
	old := time.Now().Add(-c.Memory.Life)
	passed := 0
	kept := make([]threads.Item, 0, len(t.Items))
	for _, i := range slices.Backward(t.Items) {
		if !i.Said {
			passed++
		}
		if i.Said || passed <= c.Memory.Items && (c.Memory.Life == 0 || i.At.After(old)) {
			kept = append(kept, i)
		}
	}
	slices.Reverse(kept)
	t.Items = kept
}
