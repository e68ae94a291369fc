package outage_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
)

// passing returns the stream of a backend's turn.
func passing(thread, user, answer string) string {
	return `data: {"type":"thread.created","thread":{"id":"` + thread + `"}}` + "\n\n" +
		`data: {"type":"thread.item.done","item":{"id":"msg_u` + user + `","type":"user_message","content":[{"type":"input_text","text":"` + user + `"}]}}` + "\n\n" +
		`data: {"type":"thread.item.updated","item_id":"a","update":{"type":"x","delta":"thread.item.done"}}` + "\n\n" +
		`data: {"type":"thread.item.done","item":{"id":"msg_a` + user + `","type":"assistant_message","content":[{"type":"output_text","text":"` + answer + `"}]}}` + "\n\n"
}

// pass lets a stream pass, which is not changed.
func (p *played) pass(who *outage.Caller, call *chatkit.Call, stream string) {
	p.Helper()
	r := p.Watch(p.Context(), who, call, io.NopCloser(iotest.OneByteReader(strings.NewReader(stream))))
	b, err := io.ReadAll(r)
	if err != nil || string(b) != stream {
		p.Errorf("got %q, %v", b, err)
	}
	_ = r.Close()
	time.Sleep(time.Second)
}

// What passes by is remembered, as far as it may be.
func TestMemory(t *testing.T) {
	play(t, func(p *played) {
		created := p.call(create, "1")
		p.pass(ann, created, passing("thr_1", "1", "one"))
		if n, _ := p.memory.Size(); n != 0 {
			t.Error("something is remembered without memory")
		}
		p.Memory = outage.Memory{Items: 3}
		p.pass(ann, created, passing("thr_1", "1", "one"))
		p.pass(ann, p.call(add, "thr_1", "2"), passing("", "2", "two"))
		if got := texts(p.json(ann, get, "thr_1")); got != "one 2 two" {
			t.Errorf("remembered %q", got)
		}
		if p.turn(ann, add, "thr_1", "3"); p.asked() != "a:one u:2 a:two u:3" {
			t.Errorf("asked %q", p.asked())
		}
		p.pass(ann, p.call(`{"type":"threads.retry_after_item","params":{"thread_id":"thr_1","item_id":"msg_u2"}}`), passing("", "2", "new"))
		if got := texts(p.json(ann, get, "thr_1")); got != "one 2 new" {
			t.Errorf("remembered %q", got)
		}
		p.pass(ann, p.call(add, "thr_1", "9"), `data: {"type":"thread.item.removed","item_id":"msg_a2"}`+"\n\n")
		if got := texts(p.json(ann, get, "thr_1")); got != "one 2" {
			t.Errorf("remembered %q", got)
		}
		p.Memory.Life = time.Minute
		time.Sleep(2 * time.Minute)
		if got := texts(p.json(ann, get, "thr_1")); got != "" {
			t.Errorf("remembered %q for ever", got)
		}
		p.Forget(p.Context(), ann, "thr_1")
		p.pass(ann, created, passing("thr_si_x", "1", "one"))
		if n, _ := p.memory.Size(); n != 0 {
			t.Errorf("%d threads", n)
		}
	})
}

// On the way back there is one notice, once.
func TestOwed(t *testing.T) {
	play(t, func(p *played) {
		for _, items := range []int{0, 9} {
			p.Memory.Items = items
			if p.Owed(p.Context(), ann, "thr_1") != nil || p.Owed(p.Context(), ann, "") != nil {
				t.Error("a notice before anything was said")
			}
			p.turn(ann, add, "thr_1", "Hi")
			p.turn(ann, add, "thr_1", "Ho")
			if p.asked() != "u:Hi a:Hello u:Ho" {
				t.Errorf("asked %q", p.asked())
			}
			if p.Owed(p.Context(), ben, "thr_1") != nil {
				t.Error("a notice for somebody else")
			}
			frame := p.Owed(p.Context(), ann, "thr_1")
			if !strings.Contains(string(frame), `"type":"notice","level":"info"`) || p.Owed(p.Context(), ann, "thr_1") == nil {
				t.Errorf("got %q", frame)
			}
			p.Told(p.Context(), ann, "thr_1")
			if p.Owed(p.Context(), ann, "thr_1") != nil {
				t.Error("a second notice")
			}
			if n, _ := p.memory.Size(); (n > 0) != (items > 0) {
				t.Errorf("%d threads are left with memory %d", n, items)
			}
		}
	})
}

// Nothing that passes by makes it fail, and it changes nothing.
func FuzzWatch(f *testing.F) {
	f.Add(passing("thr_1", "1", "one"))
	f.Add("data: {\n\ndata")
	f.Fuzz(func(t *testing.T, stream string) {
		play(t, func(p *played) {
			p.Memory.Items = 2
			p.pass(ann, p.call(create, "x"), stream)
		})
	})
}
