package block

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// ParseGuest parses the block of a guest module, such as a provider. d stands on the
// name of the module, which kind is the word for. The lines of common are parsed here,
// all others by the module. It returns the module's configuration, with the name of the
// module in the field "module".
func ParseGuest(d *caddyfile.Dispenser, namespace, kind string, common Options) (json.RawMessage, error) {
	module := d.Val()
	id := namespace + "." + module
	info, err := caddy.GetModule(id)
	if err != nil {
		return nil, d.Errf("unknown %s module %q%s", kind, module,
			cmp.Or(DidYouMean(module, guests(namespace)), " (not in this build of Caddy)"))
	}
	own := guestOf(d)
	if err := common.Parse(d, module, own.taking(info.New(), common.Words())); err != nil {
		return nil, err
	}
	own.end = d.Token()
	mod, err := caddyfile.UnmarshalModule(own.dispenser(), id)
	if err != nil {
		return nil, err
	}
	return caddyconfig.JSONModuleObject(mod, "module", module, nil), nil
}

// guests are the names of the modules of a namespace.
func guests(namespace string) (names []string) {
	for _, info := range caddy.GetModules(namespace) {
		names = append(names, info.ID.Name())
	}
	return names
}

// guest collects what of a block is for a guest module: its name and arguments, and
// the lines that are not common to all guests of its kind. The braces are the block's
// own, so that errors name right lines.
type guest struct {
	head, lines []caddyfile.Token
	open, end   caddyfile.Token
}

// guestOf begins with the name of the module, which d stands on, and the arguments
// behind it.
func guestOf(d *caddyfile.Dispenser) *guest {
	g := &guest{head: []caddyfile.Token{d.Token()}}
	g.head = append(g.head, d.RemainingArgsAsTokens()...)
	if brace := *d; brace.Next() {
		g.open = brace.Token()
	}
	return g
}

// taking returns a function that collects the line d stands on with its block. Where
// the module says which options it has, others are refused here already, because
// only here the common ones are known too.
func (g *guest) taking(module caddy.Module, common []string) func(d *caddyfile.Dispenser) error {
	var own Options
	if m, ok := module.(interface{ Options() Options }); ok {
		own = m.Options()
	}
	name := g.head[0].Text
	return func(d *caddyfile.Dispenser) error {
		if _, known := own[d.Val()]; own != nil && !known {
			return Unrecognized(d, name, slices.Concat(own.Words(), common))
		}
		g.lines = append(g.lines, d.NextSegment()...)
		return nil
	}
}

// dispenser is the module's part as a block of its own.
func (g *guest) dispenser() *caddyfile.Dispenser {
	tokens := g.head
	if len(g.lines) > 0 {
		tokens = slices.Concat(g.head, []caddyfile.Token{g.open}, g.lines, []caddyfile.Token{g.end})
	}
	d := caddyfile.NewDispenser(tokens)
	d.Next() // where UnmarshalModule expects it
	return d
}
