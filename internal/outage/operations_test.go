package outage_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

const (
	get    = `{"type":"threads.get_by_id","params":{"thread_id":%q}}`
	list   = `{"type":"threads.list","params":{"limit":9999,"order":"desc"}}`
	itemsR = `{"type":"items.list","params":{"thread_id":%q,"limit":%d}}`
	update = `{"type":"threads.update","params":{"thread_id":%q,"title":%q}}`
	remove = `{"type":"threads.delete","params":{"thread_id":%q}}`
)

// get returns a thread as the store has it.
func (p *played) get(who *outage.Caller, id string) *threads.Thread {
	p.Helper()
	t, err := p.Store.Get(p.Context(), threads.Key{Owner: who.Owner, ID: id})
	if err != nil {
		p.Fatal(err)
	}
	return t
}

// Every operation that is no turn, in a thread of its own.
func TestOwnThread(t *testing.T) {
	play(t, func(p *played) {
		id := p.start(ann, "Hi there")
		p.turn(ann, add, id, "More")
		if got := p.json(ann, get, id); texts(got) != "Hi there Hello More Hello" || !strings.Contains(got, `"title":"Hi there"`) {
			t.Errorf("get: %s", got)
		}
		if got := p.json(ann, itemsR, id, 2); texts(got) != "Hello More" || !strings.Contains(got, `"has_more":true`) {
			t.Errorf("items: %s", got)
		}
		if got := p.json(ann, update, id, "  Other\n title"); !strings.Contains(got, `{"title":"Other title","id"`) || texts(got) != "" {
			t.Errorf("update: %s", got)
		}
		if got := p.json(ann, `{"type":"items.feedback","params":{"thread_id":%q,"item_ids":[],"kind":"positive"}}`, id); got != "{}" {
			t.Errorf("feedback: %s", got)
		}
		if got := p.json(ann, `{"type":"threads.sync_custom_action","params":{"thread_id":%q}}`, id); got != "{}" {
			t.Errorf("action: %s", got)
		}
		second := p.start(ann, strings.Repeat("word ", 40))
		if got := p.json(ann, list); strings.Index(got, second) > strings.Index(got, id) || strings.Count(got, `"id"`) != 2 || texts(got) != "" {
			t.Errorf("list: %s", got)
		}
		p.json(ann, remove, id)
		if got := p.json(ann, list); strings.Contains(got, id) {
			t.Errorf("list: %s", got)
		}
		if s := p.status(ann, id); s.Type != chatkit.Closed || s.Reason == "" {
			t.Errorf("deleted: %+v", s)
		}
	})
}

// Nothing of one caller is visible to another, who has the id too.
func TestNothingOfOthers(t *testing.T) {
	play(t, func(p *played) {
		id := p.start(ann, "Secret")
		foreign := "thr_ofann"
		p.Memory = outage.Memory{Items: 5}
		p.turn(ann, add, foreign, "Secret")
		for _, thread := range []string{id, foreign} {
			for _, body := range []string{get, update, remove} {
				args := []any{thread}
				if body == update {
					args = append(args, "Mine")
				}
				if got := p.json(ben, body, args...); strings.Contains(got, "Secret") {
					t.Errorf("%s: %s", body, got)
				}
			}
			if got := p.json(ben, itemsR, thread, 9); texts(got) != "" {
				t.Errorf("items: %s", got)
			}
			p.turns = nil
			p.turn(ben, add, thread, "Me")
			if strings.Contains(p.asked(), "Secret") {
				t.Errorf("asked %q", p.asked())
			}
			p.turn(ben, `{"type":"threads.retry_after_item","params":{"thread_id":%q,"item_id":%q}}`, thread, p.get(ann, thread).Items[0].ID)
			if got := texts(p.json(ann, get, thread)); got != "Secret Hello" {
				t.Errorf("ann's is %q", got)
			}
		}
		if got := p.json(ben, list); strings.Contains(got, `"id"`) {
			t.Errorf("list: %s", got)
		}
	})
}

// A backend's thread in an outage: what is remembered where a model may answer, else
// locked. What would change it has to wait.
func TestBackendsThread(t *testing.T) {
	play(t, func(p *played) {
		if s := p.status(ann, "thr_1"); s.Type != chatkit.Active {
			t.Errorf("known: %+v", s)
		}
		if s := p.status(ben, "thr_1"); s.Type != chatkit.Locked || s.Reason == "" {
			t.Errorf("stranger: %+v", s)
		}
		p.Models = false
		if s := p.status(ann, "thr_1"); s.Type != chatkit.Locked {
			t.Errorf("without a model: %+v", s)
		}
		if got := p.json(ann, itemsR, "thr_1", 5); got != `{"data":[],"has_more":false}` {
			t.Errorf("items: %s", got)
		}
		for _, body := range []string{
			fmt.Sprintf(update, "thr_1", "x"), fmt.Sprintf(remove, "thr_1"), `{"type":"items.feedback","params":{"thread_id":"thr_1"}}`,
			`{"type":"threads.sync_custom_action","params":{"thread_id":"thr_1"}}`, `{"type":"attachments.create","params":{"name":"a"}}`,
			`{"type":"attachments.delete","params":{}}`, `{"type":"input.transcribe","params":{}}`,
		} {
			if got := p.json(ann, "%s", body); got != "" {
				t.Errorf("%s: %s", body, got)
			}
		}
		p.turn(ann, add, "thr_1", "Hi")
		if got := p.json(ann, list); strings.Contains(got, "thr_1") {
			t.Errorf("list: %s", got)
		}
	})
}

// When a backend has answered, a stand-in's threads are closed and stay readable; a
// list that was answered proves it only when nothing has failed for a while.
func TestBack(t *testing.T) {
	play(t, func(p *played) {
		p.State.Failed()
		id := p.start(ann, "Hi")
		p.State.Answered(false)
		if s := p.status(ann, id); s.Type != chatkit.Active {
			t.Errorf("a list closes it: %+v", s)
		}
		time.Sleep(outage.Settled)
		p.State.Answered(false)
		if s := p.status(ann, id); s.Type != chatkit.Closed || s.Reason == "" {
			t.Errorf("later: %+v", s)
		}
		second := p.start(ann, "Hi")
		p.State.Failed()
		if s := p.status(ann, second); s.Type != chatkit.Active {
			t.Errorf("the next outage: %+v", s)
		}
		p.State.Answered(true)
		n := len(p.turns)
		if got := types(p.turn(ann, add, second, "More")); got != "updated, error" || len(p.turns) != n {
			t.Errorf("got %s", got)
		}
		if got := p.json(ann, get, id); texts(got) != "Hi Hello" {
			t.Errorf("get: %s", got)
		}
	})
}

// A store that is out of order loses what was said, not the answer.
func TestStoreTrouble(t *testing.T) {
	play(t, func(p *played) {
		troubles := 0
		p.Store, p.Trouble = broken{p.Store}, func(error) { troubles++ }
		if got := types(p.turn(ann, create, "Hi")); got != lead+answers {
			t.Errorf("got %s", got)
		}
		if got := p.json(ann, list); got != `{"data":[],"has_more":false}` || troubles == 0 {
			t.Errorf("list: %s, %d troubles", got, troubles)
		}
	})
}

// broken is a store that is out of order.
type broken struct{ threads.Store }

func (broken) Get(context.Context, threads.Key) (*threads.Thread, error) { return nil, errStore }
func (broken) Put(context.Context, threads.Owner, *threads.Thread) error { return errStore }
func (broken) List(context.Context, threads.Owner) ([]*threads.Thread, error) {
	return nil, errStore
}

func (broken) Update(context.Context, threads.Key, func(*threads.Thread) error) error {
	return errStore
}

func TestKnown(t *testing.T) {
	play(t, func(*played) {
		k := outage.NewKnown()
		k.Learn("s", "ann")
		if !k.Is("s", "ann") || k.Is("s", "ben") || k.Is("other", "ann") {
			t.Error("not who was learned")
		}
		time.Sleep(outage.KnownFor)
		if k.Is("s", "ann") {
			t.Error("known for ever")
		}
		a, b := k.Hash("safety", "s", "ann"), outage.NewKnown().Hash("safety", "s", "ann")
		if len(a) != 64 || a == b || a == k.Hash("owner", "s", "ann") || a != k.Hash("safety", "s", "ann") {
			t.Errorf("hashes %s %s", a, b)
		}
	})
}
