package limit

import "testing"

// Of IPv6 a /64 is one address; a zone does not make it another.
func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":             "192.0.2.1",
		"::ffff:192.0.2.1":      "::ffff:192.0.2.1",
		"2001:db8:0:1::1":       "2001:db8:0:1::/64",
		"2001:db8:0:1:ffff::2":  "2001:db8:0:1::/64",
		"2001:db8:0:2::1":       "2001:db8:0:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"not an address at all": "not an address at all",
		"":                      "",
	} {
		if got := Network(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}
