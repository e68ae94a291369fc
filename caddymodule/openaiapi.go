package caddymodule

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/provider/openai"
)

// What an openai_api route claims below its path, and what begins the ids of
// sessions that have none from OpenAI.
const (
	sessionsPath = "/chatkit/sessions"
	cancelSuffix = "/cancel"
	idPrefix     = "cksess_"
)

// validID is an id of a session, as OpenAI makes them and as we do.
var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// cancelled is the id in the path of a cancellation, below the route's prefix.
func cancelled(rest string) (id string, ok bool) {
	id, ok = strings.CutSuffix(rest, cancelSuffix)
	return id, ok && validID.MatchString(id)
}

// keyCheck is the hash of the key an app has to show.
type keyCheck [sha256.Size]byte

// provisionOpenAI claims the paths of an openai_api route.
func (h *Handler) provisionOpenAI(ctx caddy.Context, r RouteConfig, rt *route) error {
	key, err := newResolver().secret("key", r.Key)
	if err != nil {
		return err
	}
	switch {
	case key == "":
		return errors.New("key is missing")
	case len(rt.chain.Links) == 0:
		return errors.New("no provider makes sessions for ChatKit")
	}
	if literalSecret(r.Key) {
		ctx.Logger().Warn("key of openai_api is written into the configuration; use {env.*} or {file.*}")
	}
	rt.key = sha256.Sum256([]byte(key.Reveal()))
	base := strings.TrimSuffix(r.Path, "/") + sessionsPath
	rt.prefix = base + "/"
	h.cancel = append(h.cancel, rt)
	return h.take(base, rt)
}

// checkKey lets through who shows the key. The user of these routes comes from
// the body, so nobody else may ask.
func (x *exchange) checkKey() *refusal {
	scheme, key, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(key)))
	if strings.EqualFold(scheme, "bearer") && subtle.ConstantTimeCompare(sum[:], x.rt.key[:]) == 1 {
		return nil
	}
	return &refusal{Status: http.StatusUnauthorized, Code: "invalid_api_key", Title: "Unauthorized",
		Details: "Incorrect API key provided"}
}

// parseSpec reads a request in the shape of OpenAI's API.
func (x *exchange) parseSpec(body []byte) *refusal {
	spec, err := openai.ParseSpec(body)
	if err != nil {
		r := badRequest(err.Error())
		if e, ok := errors.AsType[*openai.SpecError](err); ok {
			r.Param = e.Param
		}
		return r
	}
	x.req.User, x.req.Spec, x.req.Metadata = spec.User, bytes.Clone(body), bytes.Clone(spec.Variables)
	for _, l := range x.rt.chain.Links {
		if p, ok := x.h.link(l.Name).provider.(modeler); ok && x.req.Model == "" && spec.Workflow != "" {
			x.req.Model = p.ModelOf(spec.Workflow)
		}
	}
	return nil
}

// modeler is a provider that knows the models of workflows.
type modeler interface{ ModelOf(workflow string) string }

// canceler is a provider whose sessions can be canceled.
type canceler interface {
	Cancel(ctx context.Context, id, requestID string) (json.RawMessage, error)
}

// link is the provider with a name, which must be one of the handler's.
func (h *Handler) link(name string) *providerLink {
	return h.links[slices.IndexFunc(h.links, func(l *providerLink) bool { return l.Name == name })]
}

// answerResource answers with a session in the shape of OpenAI's API: that of
// OpenAI as it is, of any other what is known of it.
func (x *exchange) answerResource(s *Session) {
	if s.Resource != nil {
		id := Session{Secret: Secret(s.ID), ExpiresAt: s.ExpiresAt}
		issuers().Put(&id, x.provider) // who can cancel it
		x.write(http.StatusOK, s.Resource)
		return
	}
	named := *s
	named.ID = idPrefix + issuers().ID(s.Secret)
	body, err := openai.Describe(x.req.Spec, &named, openai.Active)
	if err != nil {
		x.h.logger.Error("session cannot be written", zap.String("provider", x.provider), zap.Error(err))
		x.outcome = outcomeFailed
		x.writeRefusal(&refusal{Status: http.StatusBadGateway, Code: codeSessionError, Title: sessionFailed,
			Details: capitalized(x.provider) + " gave no valid session"})
		return
	}
	x.write(http.StatusOK, body)
}
