package standins_test

import (
	"context"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby/standbytest"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func init() { caddy.RegisterModule(new(FAQ)) }

// FAQ is a stand-in as a third party writes it, with public packages alone: it has
// answers to some questions.
type FAQ struct {
	Answers map[string]string `json:"answers,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*FAQ) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.chatkit.standins.faq", New: func() caddy.Module { return new(FAQ) }}
}

// UnmarshalCaddyfile implements [caddyfile.Unmarshaler].
func (f *FAQ) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return f.Options().Parse(d, "faq", nil)
}

// Options are the lines of the block.
func (f *FAQ) Options() block.Options {
	return block.Options{"answer": {Many: true, Parse: func(d *caddyfile.Dispenser) error {
		args, err := block.Args(d, 2, 2, "answer <question> <answer>")
		if err != nil {
			return err
		}
		if f.Answers == nil {
			f.Answers = make(map[string]string)
		}
		f.Answers[args[0]] = args[1]
		return nil
	}}}
}

// Notice implements [standin.StandIn].
func (*FAQ) Notice() (title, message string) { return "From the FAQ", "" }

// Model implements [standin.StandIn].
func (*FAQ) Model() bool { return false }

// Answer implements [standin.StandIn].
func (f *FAQ) Answer(_ context.Context, t *standin.Turn, w standin.Writer) error {
	answer, ok := f.Answers[t.History[len(t.History)-1].Text]
	if !ok {
		return &session.Failure{Reason: session.Rejected}
	}
	for word := range strings.SplitAfterSeq(answer, " ") {
		if err := w.Text(word); err != nil {
			return err
		}
	}
	return nil
}

// A stand-in of a third party has what ours have: a place in the chain, options that
// all of them share, a breaker and metrics.
func TestThirdParty(t *testing.T) {
	s := standbytest.New(t, "standin say {\n message word\n}\nstandin faq {\n timeout 1s\n answer Price? `It is free.`\n}")
	got := s.Ask("a", "Price?")
	if got.String() != "faq: It is free.||" || len(got.Texts) != 3 || got.Title != "From the FAQ" {
		t.Errorf("got %+v", got)
	}
	if got := s.Ask("a", "Why?").String(); got != "say: word||faq rejected" {
		t.Errorf("got %q", got)
	}
	if v := s.Metric(`attempts_total{provider="faq",result="ok"}`); v != 1 {
		t.Errorf("the metric counts %v", v)
	}
	if err := s.TryLoad("standin faq {\n awnser a b\n}"); err == nil || !strings.Contains(err.Error(), "did you mean answer?") {
		t.Errorf("got %v", err)
	}
}
