package openai

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
)

// object is a JSON object. Its names count exactly as they are written, as they do
// for the API; encoding/json would not mind their case.
type object map[string]json.RawMessage

// read returns the object in raw, an empty one if something else is there.
func read(raw json.RawMessage) object {
	o := make(object)
	if json.Unmarshal(raw, &o) != nil || o == nil {
		return make(object)
	}
	return o
}

// text returns a field that is a string, else "".
func (o object) text(name string) (s string) {
	if json.Unmarshal(o[name], &s) != nil {
		return ""
	}
	return s
}

// limit bounds a number in an object by what the operator allows at most.
func (o object) limit(name, number string, most int) error {
	in, n := read(o[name]), 0.
	if json.Unmarshal(in[number], &n) == nil && n >= 1 && n <= float64(most) {
		return nil
	}
	in[number] = json.RawMessage(strconv.Itoa(most))
	return o.set(name, in)
}

func (o object) set(name string, value any) (err error) {
	o[name], err = provider.Encode(value)
	return err
}

// ModelOf returns the model whose workflow a request in the API's own shape names,
// "" where there is none.
func (o *OpenAI) ModelOf(spec json.RawMessage) string {
	id := read(read(spec)["workflow"]).text("id")
	for _, model := range o.ModelNames() {
		if id != "" && o.workflows[model] == id {
			return model
		}
	}
	return ""
}

// offers reports whether a workflow is one of the provider's.
func (o *OpenAI) offers(id string) bool {
	return id == o.template.Workflow.ID || slices.Contains(slices.Collect(maps.Values(o.workflows)), id)
}

// CheckSpec implements [session.SpecChecker]: a request cannot name a workflow or a
// version that the operator has not configured.
func (o *OpenAI) CheckSpec(spec json.RawMessage) (param string, err error) {
	w := read(read(spec)["workflow"])
	id, version, own := w.text("id"), w.text("version"), o.template.Workflow.Version
	switch {
	case id != "" && !o.offers(id):
		return "workflow.id", fmt.Errorf("workflow %.64q is not configured on this server", id)
	case version == latest:
		return "workflow.version", errLatest
	case version != "" && own != "" && version != own:
		return "workflow.version", fmt.Errorf("version %.64q is not the one configured on this server", version)
	}
	return "", nil
}

// body returns the body of a request: b, or where there is a spec, that within the
// limits that b sets.
func (o *OpenAI) body(b *body, spec json.RawMessage) ([]byte, error) {
	own, err := provider.Encode(b)
	if err != nil || spec == nil {
		return own, err
	}
	out := read(own)
	maps.Copy(out, read(spec))
	if err := out.set("user", b.User); err != nil {
		return nil, err
	}
	if err := o.limitWorkflow(out, &b.Workflow); err != nil {
		return nil, err
	}
	if b.ExpiresAfter != nil {
		if err := out.limit("expires_after", "seconds", b.ExpiresAfter.Seconds); err != nil {
			return nil, err
		}
	}
	if b.RateLimits != nil {
		if err := out.limit("rate_limits", "max_requests_per_1_minute", b.RateLimits.PerMinute); err != nil {
			return nil, err
		}
	}
	return provider.Encode(out)
}

// limitWorkflow keeps to the workflows and the version that the provider offers, also
// where nobody has asked [OpenAI.CheckSpec].
func (o *OpenAI) limitWorkflow(out object, own *workflow) error {
	w := read(out["workflow"])
	if !o.offers(w.text("id")) {
		delete(w, "version") // of another workflow
		if err := w.set("id", own.ID); err != nil {
			return err
		}
	}
	switch {
	case own.Version != "":
		if err := w.set("version", own.Version); err != nil {
			return err
		}
	case w.text("version") == latest:
		delete(w, "version")
	}
	return out.set("workflow", w)
}
