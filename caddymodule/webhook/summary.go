package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// escaper writes what Slack reads as markup the way its documentation says. Else a
// value such as <!channel> would call everybody.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// summary returns an event as one line: its name and its data.
func summary(e caddy.Event) string {
	parts := make([]string, 0, len(e.Data))
	for _, name := range slices.Sorted(maps.Keys(e.Data)) {
		if v := fmt.Sprint(e.Data[name]); v != "" {
			parts = append(parts, name+"="+v)
		}
	}
	return escaper.Replace(e.Name() + ": " + strings.Join(parts, ", "))
}
