package caddymodule

import (
	"encoding/json"
	"slices"
)

// documented are the fields of [sessionAnswer]: front ends rely on them, so that
// no provider may give them another meaning.
var documented = []string{"client_secret", "expires_at", "model", "metadata", "provider"}

// withExtra adds the fields that a provider has of its own to the JSON of an
// answer, which it may change.
func withExtra(answer []byte, extra map[string]Secret) []byte {
	fields := make(map[string]string, len(extra))
	for name, value := range extra {
		if !slices.Contains(documented, name) {
			fields[name] = value.Reveal()
		}
	}
	if len(fields) == 0 {
		return answer
	}
	more, err := json.Marshal(fields)
	if err != nil { // strings always marshal
		return answer
	}
	answer[len(answer)-1] = ',' // where it was closed
	return append(answer, more[1:]...)
}
