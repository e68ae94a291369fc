package relay_test

import (
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain/chaintest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

func TestParseFailover(t *testing.T) {
	type row struct {
		word string
		want relay.Failover
		err  string
	}
	chaintest.Each(t, map[string]row{
		"safe":       {"safe", relay.Safe, ""},
		"any":        {"any", relay.Any, ""},
		"off":        {"off", relay.Off, ""},
		"by default": {"", relay.Safe, ""},
		"upper case": {"Safe", "", `invalid failover "Safe" (want safe, any or off)`},
		"unknown":    {"all", "", `invalid failover "all" (want safe, any or off)`},
	}, func(t *testing.T, c row) {
		got, err := relay.ParseFailover(c.word)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("got %q and %v", got, err)
		}
	})
}
