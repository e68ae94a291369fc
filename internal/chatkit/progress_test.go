package chatkit_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// frames are the frames of some events.
func frames(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString("data: " + e + "\n\n")
	}
	return b.String()
}

func TestContent(t *testing.T) {
	const user = `{"type":"thread.item.done","item":{"id":"u","type":"user_message"}}`
	for _, tt := range []struct {
		name, stream string
		want         bool
	}{
		{"a thread", frames(`{"type":"thread.created","thread":{"id":"t"}}`), false},
		{"the user's message", frames(user), false},
		{"its update", frames(user, `{"type":"thread.item.updated","item_id":"u","update":{}}`), false},
		{"options", frames(`{"type":"stream_options"}`), false},
		{"a title", frames(`{"type":"thread.updated","thread":{"title":"T","id":"t"}}`), false},
		{"a comment", ": ping\n\n", false},
		{"an id alone", "id: 7\n\n", false},
		{"not known", frames(`{"type":"ping"}`), false},
		{"no type", frames(`{}`, `[]`, `x`, ``), false},
		{"an item", frames(user, `{"type":"thread.item.added","item":{"id":"a","type":"assistant_message"}}`), true},
		{"a widget", frames(`{"type":"thread.item.done","item":{"type":"widget"}}`), true},
		{"an update", frames(user, `{"type":"thread.item.updated","item_id":"a","update":{}}`), true},
		{"a replaced item", frames(`{"type":"thread.item.replaced","item":{"id":"a","type":"widget"}}`), true},
		{"a removed item", frames(`{"type":"thread.item.removed","item_id":"a"}`), true},
		{"progress", frames(`{"type":"progress_update","text":"…"}`), true},
		{"a notice", frames(`{"type":"notice"}`), true},
		{"an effect", frames(`{"type":"client_effect"}`), true},
		{"an error", frames(`{"type":"error"}`), true},
		{"the type last", frames(`{"text":"…","x":{"type":"thread.created"},"type":"progress_update"}`), true},
		{"other fields of the stream", "event: x\r\nid: 1\r\ndata:{\"type\":\r\ndata: \"notice\"}\r\n\r\n", true},
		{"a byte order mark", "\xef\xbb\xbf" + frames(`{"type":"notice"}`), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := follow(t, tt.stream).Content(); got != tt.want {
				t.Errorf("content is %t", got)
			}
		})
	}
}

// How a stream stands at its end.
func TestEnds(t *testing.T) {
	const (
		added   = `{"type":"thread.item.added","item":{"id":"a","type":"assistant_message","content":[{"id":"x"}]}}`
		update  = `{"type":"thread.item.updated","item_id":"a","update":{}}`
		done    = `{"type":"thread.item.done","item":{"type":"assistant_message","id":"a"}}`
		failure = `{"type":"error","code":"stream.error","allow_retry":true}`
	)
	for _, tt := range []struct {
		name, stream                string
		started, unfinished, failed bool
	}{
		{"nothing", "", false, false, false},
		{"comments", ": a\n\n: b\n\n", false, false, false},
		{"an item", frames(added, update, done), true, false, false},
		{"an item, done at once", frames(done), true, false, false},
		{"an item that is not done", frames(added, update), true, true, false},
		{"one of two", frames(added, `{"type":"thread.item.added","item":{"id":"b"}}`, done), true, true, false},
		{"a removed item", frames(added, `{"type":"thread.item.removed","item_id":"a"}`), true, false, false},
		{"an error", frames(added, failure), true, true, true},
		{"an error, and then more", frames(added, failure, update, done), true, false, false},
		{"an update after an error", frames(added, failure, update), true, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := follow(t, tt.stream)
			if p.Started() != tt.started || p.Unfinished() != tt.unfinished || p.Failed() != tt.failed {
				t.Errorf("started %t, unfinished %t, failed %t", p.Started(), p.Unfinished(), p.Failed())
			}
		})
	}
}

// More open items than are followed are no reason to call a turn unfinished that
// is not.
func TestManyItems(t *testing.T) {
	var p chatkit.Progress
	for _, event := range []string{"added", "done"} {
		for i := range 1000 {
			p.See([]byte(frames(`{"type":"thread.item.` + event + `","item":{"id":"` + strings.Repeat("i", i+1) + `"}}`)))
		}
	}
	if p.Unfinished() {
		t.Error("unfinished")
	}
}

// What a stream ends with is complete, but for its blank line, or cut.
func TestWhole(t *testing.T) {
	for tail, want := range map[string]bool{
		"": true, "\n": true, ": bye\n": true, ": b": true,
		`data: {"a":1}`: true, "data: {\"a\":1}\n": true, "event: x\ndata: {}\r\n": true, "data: {\ndata: }": true,
		`data: {"a":1`: false, "data: ": false, "dat": false, "event: x\n": false, "data: {}\ndata": true,
	} {
		if got := chatkit.Whole([]byte(tail)); got != want {
			t.Errorf("%q: %t", tail, got)
		}
	}
}

func TestData(t *testing.T) {
	for frame, want := range map[string]string{
		"data: a\n\n": "a", "data:a\n\n": "a", "data:  a\r\n\r\n": " a", "data: a\ndata: b\ndata:c\n\n": "a\nb\nc",
		"data: a\rdata: b\r\r": "a\nb", "\ndata: a\n\n": "a", "id: 1\ndata: a\nevent: x\n\n": "a", "data\n\n": "",
	} {
		b := []byte(frame)
		if got := string(chatkit.Data(b)); got != want || string(b) != frame {
			t.Errorf("%q: %q, and the frame is %q", frame, got, b)
		}
	}
}
