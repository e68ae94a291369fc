package caddymodule

import (
	"maps"
	"slices"
)

// Options returns the options of each block of the Caddyfile, for the test that
// holds the README against the code.
func Options() map[string][]string {
	names := func(o options) []string { return slices.Sorted(maps.Keys(o)) }
	return map[string][]string{
		"chatkit":    names(new(Handler).options(new(providerRefs))),
		"provider":   names(new(ProviderConfig).options()),
		"breaker":    names(new(BreakerConfig).options()),
		"cors":       names(new(CORSConfig).options()),
		"backend":    names(new(Backend).options()),
		"openai_api": names(new(RouteConfig).options()),
		"openai":     names(new(OpenAI).options()),
		"sendbird":   names(new(Sendbird).options()),
	}
}
