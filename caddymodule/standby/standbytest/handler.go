// Package standbytest runs stand-ins in a real Caddy, without the route they are for:
// a handler of its own lets them answer a turn, and shows what they wrote. Only tests
// import it.
package standbytest

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/registry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

const directive = "standins_test"

func init() {
	caddy.RegisterModule(new(handler))
	httpcaddyfile.RegisterHandlerDirective(directive, func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		t := new(handler)
		return t, t.UnmarshalCaddyfile(h.Dispenser)
	})
}

// handler lets its stand-ins answer the turn that a request holds.
type handler struct {
	StandIns []*standby.StandInConfig `json:"standins,omitempty"`

	chain standby.Chain
	app   *registry.App
}

// Turn is what a request holds.
type Turn struct {
	History  []standin.Message
	Safety   string
	Stranger bool // who may not ask a model
}

// Answer is what became of it.
type Answer struct {
	Spoke, Title, Notice string
	Texts                []string
	Text                 string
	Reason               session.Reason
	Cut                  string
	Error                string // as a log shows it
	In, Out              int
	Steps                []string // who did not speak, and why
}

// CaddyModule returns the Caddy module information.
func (*handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers." + directive, New: func() caddy.Module { return new(handler) }}
}

// Provision implements [caddy.Provisioner].
func (h *handler) Provision(ctx caddy.Context) (err error) {
	if h.app, err = registry.Of(ctx); err != nil {
		return err
	}
	h.chain, err = standby.Provision(ctx, h.StandIns, h.app, func() registry.Site { return registry.SiteOf(ctx, h) })
	return err
}

// UnmarshalCaddyfile implements [caddyfile.Unmarshaler].
func (h *handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return block.Options{"standin": standby.Option(&h.StandIns)}.Parse(d, directive, nil)
}

// ServeHTTP implements [caddyhttp.MiddlewareHandler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if r.URL.Path != "/turn" {
		return next.ServeHTTP(w, r)
	}
	h.app.Bind()
	var in Turn
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return err
	}
	repl, _ := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	t := &standin.Turn{
		History: in.History, Safety: in.Safety, RequestID: r.Header.Get("X-Request-Id"),
		Replace: func(text string) string { return repl.ReplaceKnown(text, "") },
	}
	s := new(stage)
	s.end(h.chain.Answer(r.Context(), t, !in.Stranger, s))
	return json.NewEncoder(w).Encode(s.answer)
}

// stage keeps an answer.
type stage struct{ answer Answer }

// Enter implements [standby.Stage].
func (s *stage) Enter(who *standby.StandIn) error {
	s.answer.Spoke = who.Name
	s.answer.Title, s.answer.Notice = who.Notice()
	return nil
}

// Text implements [standin.Writer].
func (s *stage) Text(delta string) error {
	s.answer.Texts = append(s.answer.Texts, delta)
	s.answer.Text += delta
	return nil
}

// Usage implements [standin.UsageWriter].
func (s *stage) Usage(in, out int) { s.answer.In, s.answer.Out = in, out }

// end notes how it went.
func (s *stage) end(r standby.Result) {
	s.answer.Reason = r.Reason
	if cut, ok := errors.AsType[*standin.Incomplete](r.Err); ok {
		s.answer.Cut = cut.Reason
	} else if r.Err != nil {
		s.answer.Error = r.Err.Error()
	}
	for _, step := range r.Steps {
		s.answer.Steps = append(s.answer.Steps, step.StandIn.Name+" "+string(step.Reason))
	}
}
