//go:build unix

package sandbox

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
)

// While a server refuses, nobody else can answer on its port. If somebody has it
// nevertheless, healing gives up after a while and leaves the server refusing;
// once the port is free it heals. In the bubble the wait takes no time.
func TestRefusedPort(t *testing.T) {
	s, err := NewBackend(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Set(Refuse); err != nil {
		t.Fatal(err)
	}
	listen := func() (net.Listener, error) { return new(net.ListenConfig).Listen(t.Context(), "tcp", s.addr) }
	if l, err := listen(); !errors.Is(err, syscall.EADDRINUSE) {
		_ = l.Close()
		t.Errorf("listening on a refused port: %v", err)
	}
	s.letGo()
	thief, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if err := s.Set(None); err == nil || s.Fault() != Refuse {
			t.Errorf("error %v, fault %s", err, s.Fault())
		}
	})
	_ = thief.Close()
	if err := s.Set(None); err != nil || s.Fault() != None {
		t.Errorf("error %v, fault %s", err, s.Fault())
	}
}
