package sandbox

import (
	"net"
	"testing"
	"testing/synctest"
)

// Healing gives up after a while and leaves the server refusing; once the port
// is free it heals. In the bubble the wait for the port takes no time.
func TestHealWhileThePortIsTaken(t *testing.T) {
	s, err := NewBackend(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Set(Refuse); err != nil {
		t.Fatal(err)
	}
	s.letGo()
	thief, err := new(net.ListenConfig).Listen(t.Context(), "tcp", s.addr)
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
