package standby

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func names(c Chain) string {
	all := make([]string, len(c))
	for i, s := range c {
		all[i] = s.Name
	}
	return strings.Join(all, " ")
}

func TestChain(t *testing.T) {
	for name, c := range map[string]struct {
		first, second func(context.Context, standin.Writer) error
		models        bool
		stage         stage
		spoke         string
		reason        session.Reason
		text          string
		calls         [3]int // of the two models and of say
	}{
		"the first speaks":         {first: says(nil, "1"), second: says(nil, "2"), models: true, spoke: "first", text: "1", calls: [3]int{1, 0, 0}},
		"the first fails":          {first: says(failure), second: says(nil, "2"), models: true, spoke: "second", text: "2", calls: [3]int{1, 1, 0}},
		"the first says nothing":   {first: says(nil), second: says(nil, "2"), models: true, spoke: "second", text: "2", calls: [3]int{1, 1, 0}},
		"the first refuses":        {first: says(&session.Failure{Status: 400}), second: says(nil, "2"), models: true, spoke: "second", text: "2", calls: [3]int{1, 1, 0}},
		"all models fail":          {first: says(failure), second: says(failure), models: true, spoke: "say", text: "word", calls: [3]int{1, 1, 1}},
		"breaks off, and stays it": {first: says(failure, "1"), second: says(nil, "2"), models: true, spoke: "first", reason: session.Status5xx, text: "1", calls: [3]int{1, 0, 0}},
		"models are not for him":   {first: says(nil, "1"), second: says(nil, "2"), spoke: "say", text: "word", calls: [3]int{0, 0, 1}},
		"nobody listens": {
			first: says(nil, "1"), second: says(nil, "2"), models: true, stage: stage{refuse: errors.New("gone")},
			spoke: "first", reason: session.Canceled, text: "1", calls: [3]int{1, 0, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			one, two := &script{model: true, answer: c.first}, &script{model: true, answer: c.second}
			word := &script{answer: says(nil, "word")}
			say, _, _ := of(t, "say", last{word})
			first, _, _ := of(t, "first", one)
			second, _, _ := of(t, "second", two)
			standIns := Chain{say, first, second}
			standIns.arrange()
			if names(standIns) != "first second say" || !standIns.Models() {
				t.Fatalf("asked in the order %s", names(standIns))
			}
			r := standIns.Answer(t.Context(), turn, c.models, &c.stage)
			if r.Spoke == nil || r.Spoke.Name != c.spoke || r.Reason != c.reason || c.stage.text() != c.text {
				t.Errorf("got %+v and %q", r, c.stage.text())
			}
			if got := [3]int{one.calls, two.calls, word.calls}; got != c.calls {
				t.Errorf("calls %v, want %v", got, c.calls)
			}
			if len(c.stage.entered) != 1 || c.stage.entered[0] != c.spoke {
				t.Errorf("entered: %v", c.stage.entered)
			}
		})
	}
}

// Nobody has an answer: the steps say why.
func TestChainOfSilence(t *testing.T) {
	one, _, _ := of(t, "one", &script{model: true, answer: says(failure)})
	two, breaker, _ := of(t, "two", &script{model: true, answer: says(nil, "a")})
	breaker.Refusals = []session.Reason{session.Open}
	r := Chain{one, two}.Answer(t.Context(), turn, true, new(stage))
	if r.Spoke != nil || r.Reason != session.Open || len(r.Steps) != 2 || r.Steps[0].Reason != session.Status5xx || r.Steps[0].Err == nil {
		t.Errorf("got %+v", r)
	}
	if r := (Chain{one}).Answer(t.Context(), turn, false, new(stage)); r.Spoke != nil || len(r.Steps) != 0 {
		t.Errorf("a stranger with models only: got %+v", r)
	}
}

// A client that has left gets no further stand-in, and a stage that is shut none at all.
func TestChainWithoutAnAudience(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	first := &script{answer: func(ctx context.Context, _ standin.Writer) error { leave(); return ctx.Err() }}
	second := &script{answer: says(nil, "a")}
	one, _, _ := of(t, "one", first)
	two, _, _ := of(t, "two", second)
	if r := (Chain{one, two}).Answer(ctx, turn, true, new(stage)); r.Spoke != nil || r.Reason != session.Canceled || second.calls != 0 {
		t.Errorf("got %+v after %d calls", r, second.calls)
	}
	shut := &stage{shut: errors.New("gone")}
	if r := (Chain{two}).Answer(t.Context(), turn, true, shut); r.Spoke != nil || r.Reason != session.Canceled || shut.text() != "" {
		t.Errorf("got %+v and %q", r, shut.text())
	}
}

// Tokens are told to who wants to know.
func TestUsage(t *testing.T) {
	s, _, _ := of(t, "m", &script{answer: func(_ context.Context, w standin.Writer) error {
		w.(standin.UsageWriter).Usage(7, 2)
		return w.Text("a")
	}})
	to := new(stage)
	if r := (Chain{s}).Answer(t.Context(), turn, true, to); r.Reason != session.OK || to.in != 7 || to.out != 2 {
		t.Errorf("got %+v, told %d and %d", r, to.in, to.out)
	}
}
