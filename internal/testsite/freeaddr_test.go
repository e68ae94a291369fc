package testsite_test

import (
	"net"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func TestFreeAddr(t *testing.T) {
	seen := make(map[string]bool)
	for range 20 {
		addr := testsite.FreeAddr(t)
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatalf("%s is not free: %v", addr, err)
		}
		defer ln.Close()
		if seen[addr] {
			t.Errorf("%s was given while it is in use", addr)
		}
		seen[addr] = true
	}
}
