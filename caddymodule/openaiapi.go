package caddymodule

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/identity"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/openaiapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What an openai_api route claims below its path, and the prefix of session ids
// that do not come from OpenAI.
const (
	sessionsPath = "/chatkit/sessions"
	cancelSuffix = "/cancel"
	idPrefix     = "cksess_"
)

// validID is an id of a session, as OpenAI makes them and as we do.
var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// cancelID returns the id in the path of a cancellation, below the route's prefix.
func cancelID(rest string) (id string, ok bool) {
	id, ok = strings.CutSuffix(rest, cancelSuffix)
	return id, ok && validID.MatchString(id)
}

// keyCheck is the hash of the key that an app has to show.
type keyCheck [sha256.Size]byte

// newKeyCheck resolves the key of an openai_api route.
func newKeyCheck(ctx caddy.Context, configured string) (k keyCheck, err error) {
	key, err := block.NewResolver().Secret("key", configured)
	if err != nil {
		return k, err
	}
	if key == "" {
		return k, errors.New("key is missing")
	}
	if block.LiteralSecret(configured) {
		ctx.Logger().Warn("key of openai_api is written into the configuration; use {env.*} or {file.*}")
	}
	return sha256.Sum256([]byte(key.Reveal())), nil
}

// check refuses who does not show the key. The user of these routes comes from the
// body, so only the app may ask.
func (k keyCheck) check(r *http.Request) *problem.Problem {
	sum := sha256.Sum256([]byte(identity.Bearer(r.Header)))
	if subtle.ConstantTimeCompare(sum[:], k[:]) == 1 {
		return nil
	}
	return &problem.Problem{Status: http.StatusUnauthorized, Code: problem.CodeInvalidKey, Title: "Unauthorized",
		Details: "Incorrect API key provided"}
}

// prepareSpec is prepare for an openai_api route: the user stands in the body, and
// an app has one address for all its users.
func (s *sessionRequest) prepareSpec() *problem.Problem {
	if p := s.route.key.check(s.r); p != nil {
		return p
	}
	body, p := readBody(s.w, s.r)
	if p != nil {
		return p
	}
	spec, err := openaiapi.ParseSpec(body)
	if e, ok := errors.AsType[*openaiapi.SpecError](err); ok {
		return badParam(e.Param, e)
	}
	if identity.IsVisitor(spec.User) {
		return badParam("user", errors.New("'user' is the id of a visitor without an account"))
	}
	if p := s.route.checkSpec(spec.JSON); p != nil {
		return p
	}
	s.user, s.req.User, s.caller = spec.User, spec.User, spec.User
	s.req.Spec, s.req.Metadata = spec.JSON, bytes.Clone(spec.Variables)
	for _, t := range s.route.chain.Targets {
		if f, ok := t.Provider.(session.ModelFinder); ok && s.req.Model == "" {
			s.req.Model = f.ModelOf(s.req.Spec)
		}
	}
	return s.h.limits.PerUser.Take(s.user)
}

func badParam(param string, err error) *problem.Problem {
	p := problem.BadRequest(err.Error())
	p.Param = param
	return p
}

// checkSpec refuses a request that no provider of the route takes, whoever will
// serve. Those that take every one do not count: a backend does not know what it
// would have to refuse.
func (rt *route) checkSpec(spec json.RawMessage) (p *problem.Problem) {
	for _, t := range rt.chain.Targets {
		c, ok := t.Provider.(session.SpecChecker)
		if !ok {
			continue
		}
		param, err := c.CheckSpec(spec)
		if err == nil {
			return nil
		}
		if p == nil {
			p = badParam(param, err)
		}
	}
	return p
}

// taking returns the targets that take a spec.
func taking(targets []*chain.Target, spec json.RawMessage) []*chain.Target {
	return slices.DeleteFunc(slices.Clone(targets), func(t *chain.Target) bool {
		c, ok := t.Provider.(session.SpecChecker)
		if !ok {
			return false
		}
		_, err := c.CheckSpec(spec)
		return err != nil
	})
}

// encodeResource returns the answer in the shape of OpenAI's API: its own resource
// as it is, for any other provider what is known of the session.
func (s *sessionRequest) encodeResource(made *session.Session, provider string) ([]byte, error) {
	if made.Resource != nil {
		id := session.Session{Secret: session.Secret(made.ID), ExpiresAt: made.ExpiresAt}
		s.h.issuers().Put(&id, provider, s.caller) // who can cancel it
		return made.Resource, nil
	}
	named := *made
	named.ID = idPrefix + s.h.issuers().ID(made.Secret)
	return openaiapi.Describe(s.req.Spec, &named, openaiapi.Active)
}
