package provider_test

import (
	"encoding/json"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
)

func TestEncode(t *testing.T) {
	for name, c := range map[string]struct {
		v    any
		want string
	}{
		"characters of HTML": {"<b>&\u2028", `"<b>&\u2028"`},
		"JSON is compacted and otherwise as it was": {
			map[string]json.RawMessage{"m": json.RawMessage("{ \"b\" : \"\\u00e4<&>\",\n\"a\":1.50e3}")}, `{"m":{"b":"\u00e4<&>","a":1.50e3}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := provider.Encode(c.v); err != nil || string(got) != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
	if _, err := provider.Encode(json.RawMessage("{")); err == nil {
		t.Error("encoded invalid JSON")
	}
}
