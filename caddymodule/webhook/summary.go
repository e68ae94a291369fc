package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// escaper writes a text as Slack has it: without it a reason such as "<!channel>"
// would call everybody.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// summary returns an event as one line for people.
func summary(e caddy.Event, instance string) string {
	text := sentence(e.Name(), values(e.Data))
	if site, _ := e.Data["site"].(string); site != "" {
		text += " (" + site + ", on " + instance + ")"
	} else {
		text += " (on " + instance + ")"
	}
	return escaper.Replace(text)
}

// values are the data of an event as text.
func values(data map[string]any) map[string]string {
	all := make(map[string]string, len(data))
	for name, v := range data {
		all[name] = fmt.Sprint(v)
	}
	if reasons, ok := data["reasons"].(map[string]any); ok {
		parts := make([]string, 0, len(reasons))
		for _, name := range slices.Sorted(maps.Keys(reasons)) {
			parts = append(parts, fmt.Sprintf("%s: %v", name, reasons[name]))
		}
		all["reasons"] = strings.Join(parts, ", ")
	}
	return all
}

// sentence says what has happened. Events of others have their name and data.
func sentence(event string, v map[string]string) string {
	change, known := changes[v["to"]]
	switch {
	case event == "chatkit.breaker_changed" && known:
		return v["provider"] + change + because(v["reason"])
	case event == "chatkit.fallback":
		return v["served_by"] + " serves instead of " + v["provider"] + because(v["reason"])
	case event == "chatkit.unserved":
		return "Nobody can serve " + v["route"] + " requests: " + v["reasons"]
	}
	parts := make([]string, 0, len(v))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if v[name] != "" && name != "site" {
			parts = append(parts, name+"="+v[name])
		}
	}
	return event + ": " + strings.Join(parts, ", ")
}

// changes are sentences about the state that a breaker has got into.
var changes = map[string]string{
	"closed":        " is back",
	"half_open":     " is being tried again",
	"open":          " is not asked any more, because it fails",
	"forced_open":   " was taken out by an operator",
	"forced_closed": " was put in by an operator, whatever its failures",
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
