package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
)

// What becomes of a model that no provider names: the default of whoever is
// asked, or an error.
const (
	modelsDefault = "default"
	modelsStrict  = "strict"
)

// modelSource is a provider that serves some models in a way of their own.
type modelSource interface{ ModelNames() []string }

// restricted is a provider that serves some models only. It hears of no other:
// where it is asked all the same, it takes its default.
type restricted struct {
	chain.Provider

	models []string
}

// Create implements [Provider].
func (p restricted) Create(ctx context.Context, req *Request) (Session, error) {
	if req.Model != "" && !slices.Contains(p.models, req.Model) {
		r := *req
		r.Model = ""
		req = &r
	}
	return p.Provider.Create(ctx, req)
}

// checkModelNames returns an error for names that no request can carry or that
// stand there twice.
func checkModelNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		switch {
		case name == "":
			return errors.New("model: name is empty")
		case seen[name]:
			return fmt.Errorf("model: %q is given twice", name)
		}
		seen[name] = true
	}
	return nil
}

// serves tells whether a provider serves a model, as far as is known: one that
// is not restricted takes any.
func (l *providerLink) serves(model string) bool {
	return len(l.models) == 0 || slices.Contains(l.models, model)
}

// knownModels are the models that somebody among the links names, sorted.
func knownModels(links []*providerLink) []string {
	known := make(map[string]bool)
	for _, l := range links {
		for _, name := range l.models {
			known[name] = true
		}
		if s, ok := l.provider.(modelSource); ok {
			for _, name := range s.ModelNames() {
				known[name] = known[name] || l.serves(name)
			}
		}
	}
	maps.DeleteFunc(known, func(_ string, served bool) bool { return !served })
	return slices.Sorted(maps.Keys(known))
}

// chainsByModel are the chains of a route for the models that are known: of the
// providers that serve them, in the same order.
func chainsByModel(c chain.Chain, links []*providerLink) map[string]*chain.Chain {
	chains := make(map[string]*chain.Chain)
	for _, model := range knownModels(links) {
		own := chain.Chain{Deadline: c.Deadline}
		for _, l := range links {
			if l.serves(model) {
				own.Links = append(own.Links, &l.Link)
			}
		}
		chains[model] = &own
	}
	return chains
}

// checkModels returns an error for a setting of models that makes no sense.
func (h *Handler) checkModels() error {
	if err := h.checkModelsWord(); err != nil {
		return err
	}
	h.known = knownModels(h.links)
	if h.Models == modelsStrict && len(h.known) == 0 {
		return errors.New("models: strict, but no provider names a model")
	}
	return nil
}

func (h *Handler) checkModelsWord() error {
	switch h.Models {
	case "", modelsDefault, modelsStrict:
		return nil
	}
	return fmt.Errorf("models: %q is none of %s, %s", h.Models, modelsDefault, modelsStrict)
}

// checkModel refuses a model that nobody knows, where the operator wants that.
func (x *exchange) checkModel() *refusal {
	if x.h.Models != modelsStrict || x.req.Model == "" {
		return nil
	}
	if slices.Contains(x.h.known, x.req.Model) {
		return nil
	}
	return badRequest("Field model is none of " + strings.Join(x.h.known, ", "))
}

// metadataChecker is a provider that does not take every metadata.
type metadataChecker interface {
	CheckMetadata(metadata json.RawMessage) error
}

// checkMetadata refuses metadata that a provider of the chain could not take,
// whoever will serve: the error would else show in an outage only.
func (x *exchange) checkMetadata() *refusal {
	if len(x.req.Metadata) == 0 {
		return nil
	}
	for _, c := range x.rt.checkers {
		if err := c.CheckMetadata(x.req.Metadata); err != nil {
			return badRequest("Field " + err.Error())
		}
	}
	return nil
}
