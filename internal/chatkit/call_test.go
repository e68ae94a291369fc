package chatkit_test

import (
	"reflect"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

func TestParseCall(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want chatkit.Call
		text string
		err  string
	}{
		"create": {
			body: `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"},{"type":"input_tag","id":"1","text":" @Ann","data":{}}],"quoted_text":"a\nb","attachments":[],"inference_options":{}}}}`,
			want: chatkit.Call{Type: chatkit.ThreadsCreate}, text: "> a\n> b\n\nHi @Ann",
		},
		"page": {
			body: `{"type":"items.list","params":{"thread_id":"t","limit":9999,"order":"asc","after":"m"}}`,
			want: chatkit.Call{Type: chatkit.ItemsList, Thread: "t", Page: chatkit.PageRequest{Limit: 9999, Asc: true, After: "m"}},
		},
		"null":        {body: `{"type":"threads.list","params":{"limit":null,"after":null}}`, want: chatkit.Call{Type: chatkit.ThreadsList}},
		"retry":       {body: `{"type":"threads.retry_after_item","params":{"thread_id":"t","item_id":"m"}}`, want: chatkit.Call{Type: chatkit.ThreadsRetryAfterItem, Thread: "t", Item: "m"}},
		"other input": {body: `{"type":"threads.add_structured_input","params":{"thread_id":"t","item_id":"m","input":{"status":"answered","answers":{}}}}`, want: chatkit.Call{Type: chatkit.ThreadsAddStructuredInput, Thread: "t", Item: "m"}},
		"no params":   {body: `{"type":"threads.list"}`, want: chatkit.Call{Type: chatkit.ThreadsList}},
		"huge limit":  {body: `{"type":"threads.list","params":{"limit":1e300}}`, want: chatkit.Call{Type: chatkit.ThreadsList, Page: chatkit.PageRequest{Limit: 1 << 20}}},
		"below 0":     {body: `{"type":"threads.list","params":{"limit":-3}}`, want: chatkit.Call{Type: chatkit.ThreadsList}},

		"no input":     {body: `{"type":"threads.create","params":{}}`, err: "params of threads.create: input is missing"},
		"unknown type": {body: `{"type":"threads.nope","params":{}}`, err: `unknown type "threads.nope"`},
		"no JSON":      {body: `{`, err: "body is not a JSON object with a type and params"},
		"wrong type":   {body: `{"type":"threads.list","params":{"title":7}}`, err: "params of threads.list: title has the wrong type"},
		"part":         {body: `{"type":"threads.create","params":{"input":{"content":[{"type":"input_image"}]}}}`, err: `unknown type of content "input_image"`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := chatkit.ParseCall([]byte(tt.body))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Input != nil {
				if got := c.Input.Text(); got != tt.text {
					t.Errorf("text %q", got)
				}
				c.Input = nil
			}
			if !reflect.DeepEqual(*c, tt.want) {
				t.Errorf("got %+v", *c)
			}
		})
	}
}

func TestPageOf(t *testing.T) {
	rows := make([]string, 45)
	for i := range rows {
		rows[i] = string(rune('A' + i))
	}
	same := func(s string) string { return s }
	for _, asc := range []bool{true, false} {
		for _, limit := range []int{0, 1, 7, 45, 9999} {
			var all []string
			r := chatkit.PageRequest{Limit: limit, Asc: asc}
			for {
				p := chatkit.PageOf(rows, r, same)
				all = append(all, p.Data...)
				if r.After = p.After; p.HasMore != (p.After != "") || len(all) > len(rows) {
					t.Fatalf("page %+v", p)
				}
				if !p.HasMore {
					break
				}
			}
			if len(all) != len(rows) || all[0] == all[1] || (all[0] == "A") != asc {
				t.Errorf("limit %d, asc %t: got %q", limit, asc, all)
			}
		}
	}
	if p := chatkit.PageOf(rows, chatkit.PageRequest{After: "gone"}, same); len(p.Data) != chatkit.DefaultPage {
		t.Errorf("behind a row that is gone: %+v", p)
	}
}

// No request makes it panic, and what is accepted can be written.
func FuzzParseCall(f *testing.F) {
	for _, x := range exchanges(f) {
		f.Add([]byte(x.request))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := chatkit.ParseCall(body)
		if err != nil {
			return
		}
		if !c.Type.Known() || c.Page.Limit < 0 {
			t.Errorf("got %+v", c)
		}
		if c.Input != nil {
			checkInput(t, c.Input)
		}
	})
}
