package chatkittest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// event is what is of interest of an event beyond its shape.
type event struct {
	Type   string `json:"type"`
	ItemID string `json:"item_id"`
	Item   struct {
		ID      string `json:"id"`
		Thread  string `json:"thread_id"`
		Type    string `json:"type"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"item"`
	Thread struct {
		ID string `json:"id"`
	} `json:"thread"`
	Update struct {
		Type    string `json:"type"`
		Delta   string `json:"delta"`
		Content struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"update"`
}

// Turn returns what is wrong with the stream of a turn that we have written: the
// shape of each event, and their order.
func Turn(stream []byte) error {
	var t turn
	for i, frame := range Frames(stream) {
		data, ok := bytes.CutPrefix(frame, []byte("data: "))
		if !ok || bytes.ContainsAny(data, "\r\n") {
			return fmt.Errorf("frame %d is %q", i, frame)
		}
		if err := Event(data); err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
		var e event
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		if err := t.see(&e); err != nil {
			return fmt.Errorf("frame %d, %s: %w", i, e.Type, err)
		}
	}
	return t.end(stream)
}

// Frames returns the frames of a stream, without the blank lines.
func Frames(stream []byte) [][]byte {
	stream = bytes.TrimSuffix(stream, []byte("\n\n"))
	return bytes.Split(stream, []byte("\n\n"))
}

// turn is where a turn is.
type turn struct {
	open   string // the answer that is being written
	part   bool   // it has a part
	text   strings.Builder
	thread string
	frames int
	failed bool
	last   string
}

// see takes an event that comes next.
func (t *turn) see(e *event) error {
	defer func() { t.last = e.Type }()
	t.frames++
	if t.failed {
		return fmt.Errorf("after an error event")
	}
	switch e.Type {
	case "thread.created":
		if t.frames > 1 {
			return fmt.Errorf("is not the first")
		}
		t.thread = e.Thread.ID
		return ours(e.Thread.ID)
	case "thread.item.added", "thread.item.done":
		return t.item(e)
	case "thread.item.updated":
		return t.update(e)
	case "error":
		t.failed = true
	}
	return nil
}

func (t *turn) item(e *event) error {
	if t.thread == "" {
		t.thread = e.Item.Thread
	}
	switch {
	case e.Item.Thread != t.thread:
		return fmt.Errorf("in thread %q of a turn in %q", e.Item.Thread, t.thread)
	case e.Type == "thread.item.added":
		if t.open != "" || len(e.Item.Content) > 0 {
			return fmt.Errorf("%q is open, this begins with %v", t.open, e.Item.Content)
		}
		t.open = e.Item.ID
	case e.Item.Type == "assistant_message":
		if t.open != e.Item.ID || t.part || len(e.Item.Content) != 1 || e.Item.Content[0].Text != t.text.String() {
			return fmt.Errorf("%q ends with %v, and %q with %q is open", e.Item.ID, e.Item.Content, t.open, t.text.String())
		}
		t.open = ""
		t.text.Reset()
	}
	return ours(e.Item.ID)
}

func (t *turn) update(e *event) error {
	if e.ItemID != t.open {
		return fmt.Errorf("of %q, and %q is open", e.ItemID, t.open)
	}
	switch strings.TrimPrefix(e.Update.Type, "assistant_message.content_part.") {
	case "added":
		if t.part {
			return fmt.Errorf("a part is there already")
		}
		t.part = true
	case "text_delta":
		if !t.part || e.Update.Delta == "" {
			return fmt.Errorf("part %t, delta %q", t.part, e.Update.Delta)
		}
		t.text.WriteString(e.Update.Delta)
	case "done":
		if !t.part || e.Update.Content.Text != t.text.String() {
			return fmt.Errorf("part %t with %q, want %q", t.part, e.Update.Content.Text, t.text.String())
		}
		t.part = false
	}
	return nil
}

// end takes the end of the stream.
func (t *turn) end(stream []byte) error {
	switch {
	case !bytes.HasSuffix(stream, []byte("\n\n")):
		return fmt.Errorf("the stream ends within a frame")
	case t.open != "" && !t.failed:
		return fmt.Errorf("%q is never done", t.open)
	}
	var p chatkit.Progress
	for _, f := range Frames(stream) {
		p.See(append(f, "\n\n"...))
	}
	if !p.Content() {
		return fmt.Errorf("the turn shows no content")
	}
	return nil
}

// ours reports whether an id is as long as ours are.
func ours(id string) error {
	if !longID.MatchString(id) {
		return fmt.Errorf("%q is too short an id", id)
	}
	return nil
}
