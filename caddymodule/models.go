package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// What to do with a model that no provider lists.
const (
	modelsDefault = "default"
	modelsStrict  = "strict"
)

// knownModels returns the models that a provider among the targets lists, sorted.
func knownModels(targets []*chain.Target) (known []string) {
	for _, t := range targets {
		known = append(known, t.Models...)
		if p, ok := t.Provider.(session.ModelLister); ok {
			known = append(known, slices.DeleteFunc(p.ModelNames(), func(name string) bool { return !t.Serves(name) })...)
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// serving returns the targets that serve a model.
func serving(targets []*chain.Target, model string) []*chain.Target {
	return slices.DeleteFunc(slices.Clone(targets), func(t *chain.Target) bool { return !t.Serves(model) })
}

// modelPolicy refuses models that no provider lists, where the operator wants that.
type modelPolicy struct {
	strict bool
	known  []string
}

// newModelPolicy returns an error for a setting that is invalid or without effect.
func newModelPolicy(h *Handler) (p modelPolicy, err error) {
	if err := h.checkModelsWord(); err != nil {
		return p, err
	}
	p = modelPolicy{strict: h.Models == modelsStrict, known: knownModels(h.targets)}
	if p.strict && len(p.known) == 0 {
		return p, errors.New("models: strict, but no provider lists a model")
	}
	return p, nil
}

func (h *Handler) checkModelsWord() error {
	switch h.Models {
	case "", modelsDefault, modelsStrict:
		return nil
	}
	return fmt.Errorf("invalid models %q (want %s or %s)", h.Models, modelsDefault, modelsStrict)
}

func (p *modelPolicy) check(model string) *problem.Problem {
	if !p.strict || model == "" || slices.Contains(p.known, model) {
		return nil
	}
	return problem.BadRequest("Field model is none of " + strings.Join(p.known, ", "))
}

// checkMetadata refuses metadata that a provider of the route could not take,
// whoever will serve. Otherwise the mistake would show in an outage only.
func (rt *route) checkMetadata(metadata json.RawMessage) *problem.Problem {
	if len(metadata) == 0 {
		return nil
	}
	for _, t := range rt.chain.Targets {
		if c, ok := t.Provider.(session.MetadataChecker); ok {
			if err := c.CheckMetadata(metadata); err != nil {
				return problem.BadRequest("Field " + err.Error())
			}
		}
	}
	return nil
}
