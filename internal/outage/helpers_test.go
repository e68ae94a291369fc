package outage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit/chatkittest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ann = &outage.Caller{Owner: threads.Owner{Scope: "s", Caller: "ann"}, User: "ann", Known: true, Lists: true, Safety: "hash"}
	ben = &outage.Caller{Owner: threads.Owner{Scope: "s", Caller: "ben"}, Lists: true}
)

// played is an outage with stand-ins that a test has the words of.
type played struct {
	*testing.T
	*outage.Chat
	memory *threads.Memory

	mu    sync.Mutex
	turns []standin.Turn
	model []bool // who was allowed to ask one

	// Of the next answers.
	says   []string
	result outage.Result
	wait   chan struct{} // before each text but the first
}

// play runs a test with a clock of its own.
func play(t *testing.T, test func(p *played)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := threads.NewMemory(threads.Standard)
		defer m.Close()
		p := &played{T: t, memory: m, says: []string{"Hel", "lo"}}
		p.Chat = &outage.Chat{Store: m, State: new(outage.State), Models: true, Ask: p.ask,
			Trouble: func(err error) { t.Error(err) }}
		test(p)
	})
}

func (p *played) ask(ctx context.Context, t *standin.Turn, models bool, stage outage.Stage) outage.Result {
	p.mu.Lock()
	p.turns, p.model = append(p.turns, *t), append(p.model, models)
	p.mu.Unlock()
	for i, text := range p.says {
		if i == 0 && stage.Enter("Outage", "Limited mode.") != nil {
			return outage.Left
		}
		if i > 0 && p.wait != nil {
			select {
			case <-p.wait:
			case <-ctx.Done():
				return outage.Left
			}
		}
		if stage.Text(text) != nil {
			return outage.Left
		}
	}
	return p.result
}

// asked returns what the stand-in was asked last.
func (p *played) asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.turns) == 0 {
		return ""
	}
	var all []string
	for _, m := range p.turns[len(p.turns)-1].History {
		all = append(all, string(m.Role[:1])+":"+m.Text)
	}
	return strings.Join(all, " ")
}

// call returns a request.
func (p *played) call(body string, args ...any) *chatkit.Call {
	p.Helper()
	c, err := chatkit.ParseCall(fmt.Appendf(nil, body, args...))
	if err != nil {
		p.Fatal(err)
	}
	return c
}

const (
	input  = `"input":{"content":[{"type":"input_text","text":%q}],"attachments":[],"inference_options":{}}`
	create = `{"type":"threads.create","params":{` + input + `}}`
	add    = `{"type":"threads.add_user_message","params":{"thread_id":%q,` + input + `}}`
)

// turn has a turn answered, and checks every frame of it.
func (p *played) turn(who *outage.Caller, body string, args ...any) string {
	p.Helper()
	r := p.Turn(p.Context(), who, p.call(body, args...))
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		p.Fatal(err)
	}
	if err := chatkittest.Turn(b); err != nil {
		p.Errorf("%v:\n%s", err, b)
	}
	time.Sleep(time.Millisecond) // nothing happens at the same moment
	return string(b)
}

// start begins a thread and returns its id.
func (p *played) start(who *outage.Caller, text string) string {
	p.Helper()
	var e struct {
		Thread struct {
			ID string `json:"id"`
		} `json:"thread"`
	}
	first, _, _ := strings.Cut(p.turn(who, create, text), "\n\n")
	if err := json.Unmarshal([]byte(strings.TrimPrefix(first, "data: ")), &e); err != nil {
		p.Fatal(err)
	}
	if !threads.Own(e.Thread.ID) {
		p.Fatalf("thread %q", e.Thread.ID)
	}
	return e.Thread.ID
}

// json has another request answered, and checks the answer.
func (p *played) json(who *outage.Caller, body string, args ...any) string {
	p.Helper()
	call := p.call(body, args...)
	b := p.Serve(p.Context(), who, call)
	if b == nil {
		return ""
	}
	if err := chatkittest.Answer(call.Type, b); err != nil {
		p.Errorf("%s: %v: %s", call.Type, err, b)
	}
	return string(b)
}

// types returns the types of a stream's events.
func types(stream string) string {
	frames := chatkittest.Frames([]byte(stream))
	all := make([]string, 0, len(frames))
	for _, f := range frames {
		var e struct {
			Type string `json:"type"`
			Item struct {
				Type string `json:"type"`
			} `json:"item"`
			Update struct {
				Type string `json:"type"`
			} `json:"update"`
		}
		_ = json.Unmarshal(chatkit.Data(append(f, "\n\n"...)), &e)
		name := e.Type
		if e.Item.Type != "" {
			name += " " + e.Item.Type[:1]
		}
		if e.Update.Type != "" {
			name = strings.TrimPrefix(e.Update.Type, "assistant_message.content_part.")
		}
		all = append(all, strings.TrimPrefix(name, "thread."))
	}
	return strings.Join(all, ", ")
}

// texts returns the texts of the items in an answer.
func texts(body string) string {
	type content struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	}
	var t struct {
		Data  []content `json:"data"`
		Items struct {
			Data []content `json:"data"`
		} `json:"items"`
	}
	_ = json.Unmarshal([]byte(body), &t)
	all := make([]string, 0, len(t.Data)+len(t.Items.Data))
	for _, i := range append(t.Data, t.Items.Data...) {
		for _, c := range i.Content {
			all = append(all, c.Text)
		}
	}
	return strings.Join(all, " ")
}

// status returns the status of a thread.
func (p *played) status(who *outage.Caller, thread string) chatkit.Status {
	p.Helper()
	var t struct {
		Status chatkit.Status `json:"status"`
	}
	if err := json.Unmarshal([]byte(p.json(who, get, thread)), &t); err != nil {
		p.Fatal(err)
	}
	return t.Status
}

var errStore = errors.New("the store is out of order")
