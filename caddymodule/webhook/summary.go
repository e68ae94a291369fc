package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// summary returns an event as one line: its name and its data.
func summary(e caddy.Event) string {
	parts := make([]string, 0, len(e.Data))
	for _, name := range slices.Sorted(maps.Keys(e.Data)) {
		if v := fmt.Sprint(e.Data[name]); v != "" {
			parts = append(parts, name+"="+v)
		}
	}
	return e.Name() + ": " + strings.Join(parts, ", ")
}
