// Package say is the stand-in that says what the operator has written,
// http.handlers.chatkit.standins.say. It asks nobody, costs nothing, and no data
// leaves.
package say

import (
	"cmp"
	"context"
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func init() { caddy.RegisterModule(new(Say)) }

// Say is the stand-in that says what the operator has written. It always answers, so
// it is asked after all others, wherever it is written.
type Say struct {
	// The answer to every message, in Markdown. Required. Placeholders work, those of
	// the request too. Hazard: what a client sends stands in the answer as it is.
	Message string `json:"message,omitempty"`

	// The title of the notice that stands before the answer. Placeholders that can be
	// resolved at load time work. Default: "The assistant is not available".
	Title string `json:"title,omitempty"`

	title string
}

const defaultTitle = "The assistant is not available"

// CaddyModule returns the Caddy module information.
func (*Say) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.chatkit.standins.say",
		New: func() caddy.Module { return new(Say) },
	}
}

// Provision resolves the configuration.
func (s *Say) Provision(caddy.Context) (err error) {
	s.title, err = block.NewResolver().Optional("title", cmp.Or(s.Title, defaultTitle))
	return err
}

// Validate returns an error where there is nothing to say.
func (s *Say) Validate() error {
	if s.Message == "" {
		return errors.New("message is missing")
	}
	return nil
}

// UnmarshalCaddyfile sets up the stand-in from Caddyfile tokens. Syntax:
//
//	say {
//		message <markdown>
//		title   <text>
//	}
func (s *Say) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the module
	at := *d
	if d.NextArg() {
		return d.Errf("unexpected argument %q after say; the answer goes into its block, as message", d.Val())
	}
	err := s.Options().Parse(d, "say", nil)
	if err == nil && s.Message == "" {
		return at.Errf("say: message is missing")
	}
	return err
}

// Options are the lines of the block that belong to the module.
func (s *Say) Options() block.Options {
	return block.Options{
		"message": block.Text(&s.Message),
		"title":   block.Text(&s.Title),
	}
}

// Notice implements [standin.StandIn].
func (s *Say) Notice() (title, message string) { return s.title, "" }

// Model implements [standin.StandIn].
func (*Say) Model() bool { return false }

// LastResort implements [standin.LastResort].
func (*Say) LastResort() {}

// Answer implements [standin.StandIn].
func (s *Say) Answer(_ context.Context, t *standin.Turn, w standin.Writer) error {
	text := s.Message
	if t.Replace != nil {
		text = t.Replace(text)
	}
	return w.Text(text)
}

// Interface guards.
var (
	_ caddy.Validator       = (*Say)(nil)
	_ caddy.Provisioner     = (*Say)(nil)
	_ caddyfile.Unmarshaler = (*Say)(nil)
	_ standin.StandIn       = (*Say)(nil)
	_ standin.LastResort    = (*Say)(nil)
)
