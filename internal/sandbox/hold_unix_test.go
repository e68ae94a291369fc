//go:build unix

package sandbox

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// While a server refuses, nobody else can answer on its port.
func TestRefusedPortIsHeld(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", ":0"} {
		t.Run(addr, func(t *testing.T) {
			s, err := NewBackend(Options{Addr: addr})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if err := s.Set(Refuse); err != nil {
				t.Fatal(err)
			}
			if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", s.addr); !errors.Is(err, syscall.EADDRINUSE) {
				_ = l.Close()
				t.Errorf("listening on a refused port: %v", err)
			}
			if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.addr); !errors.Is(err, syscall.ECONNREFUSED) {
				_ = conn.Close()
				t.Errorf("dialling a refused port: %v", err)
			}
		})
	}
}

func TestHoldTakesAnything(*testing.T) {
	for _, addr := range []string{"", "nonsense", "127.0.0.1:99999", "[::1]:0", "[fe80::1%lo]:1", "192.0.2.1:1"} {
		hold(addr)() // neither panics nor leaks
	}
}
