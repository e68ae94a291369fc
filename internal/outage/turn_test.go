package outage_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
)

const (
	lead    = "created, item.done u, stream_options, "
	answers = "notice, item.added a, added, text_delta, text_delta, done, item.done a"
)

// The frames of every operation that is a turn, as OpenAI's server orders them.
func TestTurns(t *testing.T) {
	retry := `{"type":"threads.retry_after_item","params":{"thread_id":%q,"item_id":%q}}`
	for name, tt := range map[string]struct {
		body  string
		args  func(p *played, own, item string) []any
		want  string
		asked string
	}{
		"create":            {create, func(*played, string, string) []any { return []any{"New"} }, lead + answers, "u:New"},
		"add":               {add, func(_ *played, own, _ string) []any { return []any{own, "More"} }, lead[9:] + answers, "u:Hi a:Hello u:More"},
		"backend's":         {add, func(*played, string, string) []any { return []any{"thr_1", "More"} }, lead[9:] + answers, "u:More"},
		"retry":             {retry, func(_ *played, own, item string) []any { return []any{own, item} }, "stream_options, " + answers, "u:Hi"},
		"retry of none":     {retry, func(_ *played, own, _ string) []any { return []any{own, "msg_x"} }, "error", "u:Hi"},
		"retry backend's":   {retry, func(*played, string, string) []any { return []any{"thr_1", "msg_x"} }, "error", "u:Hi"},
		"tool output":       {`{"type":"threads.add_client_tool_output","params":{"thread_id":%q,"result":1}}`, func(_ *played, own, _ string) []any { return []any{own} }, "stream_options, " + answers, "u:Hi"},
		"tool of backend's": {`{"type":"threads.add_client_tool_output","params":{"thread_id":"thr_1","result":1}}`, nil, "error", "u:Hi"},
		"structured":        {`{"type":"threads.add_structured_input","params":{"thread_id":"thr_1","item_id":"m","input":{}}}`, nil, "error", "u:Hi"},
		"action":            {`{"type":"threads.custom_action","params":{"thread_id":%q,"action":{"type":"x"}}}`, func(_ *played, own, _ string) []any { return []any{own} }, "error", "u:Hi"},
		"attachment":        {`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"See"}],"attachments":["atc_1"],"inference_options":{}}}}`, nil, "error", "u:Hi"},
		"no text":           {create, func(*played, string, string) []any { return []any{" \n"} }, "error", "u:Hi"},
		"too long":          {create, func(*played, string, string) []any { return []any{strings.Repeat("x", 70_000)} }, "error", "u:Hi"},
		"unknown":           {add, func(*played, string, string) []any { return []any{"thr_si_gone", "More"} }, "updated, error", "u:Hi"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(p *played) {
				own := p.start(ann, "Hi")
				th := p.get(ann, own)
				var args []any
				if tt.args != nil {
					args = tt.args(p, own, th.Items[0].ID)
				}
				if got := types(p.turn(ann, tt.body, args...)); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
				if got := p.asked(); got != tt.asked {
					t.Errorf("asked %q, want %q", got, tt.asked)
				}
			})
		})
	}
}

// How an answer can end, what the client sees of it and what is kept.
func TestEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		says   []string
		result outage.Result
		want   string
		kept   string
	}{
		"complete":   {[]string{"a", "b"}, outage.Complete, lead + "notice, item.added a, added, text_delta, text_delta, done, item.done a", "Hi ab"},
		"incomplete": {[]string{"a"}, outage.Incomplete, lead + "notice, item.added a, added, text_delta, done, item.done a, notice", "Hi a"},
		"broken":     {[]string{"a"}, outage.Broken, lead + "notice, item.added a, added, text_delta, error", "Hi a"},
		"silent":     {nil, outage.Silent, lead + "error", "Hi"},
		"not UTF-8":  {[]string{"\xff"}, outage.Complete, lead + "notice, item.added a, added, text_delta, done, item.done a", "Hi \ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(p *played) {
				p.says, p.result = tt.says, tt.result
				got := p.turn(ann, create, "Hi")
				if types(got) != tt.want {
					t.Errorf("got  %s\nwant %s", types(got), tt.want)
				}
				all, _ := p.Store.List(p.Context(), ann.Owner)
				if kept := texts(p.json(ann, get, all[0].ID)); kept != tt.kept {
					t.Errorf("kept %q, want %q", kept, tt.kept)
				}
			})
		})
	}
}

// A lost client ends the answer, and what was said until then is kept.
func TestLost(t *testing.T) {
	play(t, func(p *played) {
		p.wait = make(chan struct{})
		r := p.Turn(p.Context(), ann, p.call(create, "Hi"))
		var seen strings.Builder
		b := make([]byte, 4096)
		for !strings.Contains(seen.String(), "Hel") {
			n, err := r.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			seen.Write(b[:n])
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // nothing of it goes on
		all, _ := p.Store.List(p.Context(), ann.Owner)
		if kept := texts(p.json(ann, get, all[0].ID)); kept != "Hi Hel" {
			t.Errorf("kept %q", kept)
		}
		p.wait = nil
		if p.turn(ann, add, all[0].ID, "Again"); p.asked() != "u:Hi a:Hel u:Again" {
			t.Errorf("asked %q", p.asked())
		}
	})
}

// Who is no user and was not answered by a backend is not let to a model.
func TestModels(t *testing.T) {
	play(t, func(p *played) {
		p.turn(ann, create, "Hi")
		p.turn(ben, create, "Hi")
		p.Models = false
		p.turn(ann, create, "Hi")
		if len(p.model) != 3 || !p.model[0] || p.model[1] || p.model[2] {
			t.Errorf("allowed: %v", p.model)
		}
		if p.turns[0].Safety != "hash" || p.turns[1].Safety != "" {
			t.Errorf("turns %+v", p.turns)
		}
	})
}

// A turn in a thread that is deleted meanwhile ends well, and does not bring it back.
func TestDeletedMeanwhile(t *testing.T) {
	play(t, func(p *played) {
		p.wait = make(chan struct{})
		r := p.Turn(p.Context(), ann, p.call(create, "Hi"))
		done := make(chan string)
		go func() {
			b, _ := io.ReadAll(r)
			done <- string(b)
		}()
		synctest.Wait()
		all, _ := p.Store.List(p.Context(), ann.Owner)
		if got := p.json(ann, `{"type":"threads.delete","params":{"thread_id":%q}}`, all[0].ID); got != "{}" {
			t.Errorf("deleted: %s", got)
		}
		close(p.wait)
		if got := types(<-done); got != lead+answers {
			t.Errorf("got %s", got)
		}
		time.Sleep(time.Second)
		if n, bytes := p.memory.Size(); n != 0 || bytes != 0 {
			t.Errorf("%d threads of %d bytes are left", n, bytes)
		}
	})
}
