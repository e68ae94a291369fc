package sandbox_test

import (
	"net"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

func TestFreeAddr(t *testing.T) {
	seen := make(map[string]bool)
	for range 20 {
		addr, err := sandbox.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
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
