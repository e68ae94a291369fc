package fleet_test

import (
	"syscall"
	"testing"
	"time"
)

// fault is a way in which Redis fails, and what mends it.
type fault struct {
	name        string
	begin, mend func(s *server)
	away        bool // the instances have to notice
}

func faults() []fault {
	return []fault{
		{"killed", (*server).kill, (*server).start, true},
		{"stopped (SIGSTOP)", func(s *server) { s.signal(syscall.SIGSTOP) }, func(s *server) { s.signal(syscall.SIGCONT) }, true},
		{"flushed", func(s *server) { s.must("FLUSHALL") }, func(*server) {}, false},
		{"full", func(s *server) { s.must("CONFIG", "SET", "maxmemory", "1") }, func(s *server) { s.must("CONFIG", "SET", "maxmemory", "0") }, true},
		{"read-only", func(s *server) { s.must("REPLICAOF", "127.0.0.1", "1") }, func(s *server) { s.must("REPLICAOF", "NO", "ONE") }, true},
		{"restarted", func(s *server) { s.kill(); s.start() }, func(*server) {}, false},
		{"password changed", func(s *server) {
			s.must("CONFIG", "SET", "requirepass", "another")
			s.must("CLIENT", "KILL", "TYPE", "pubsub")
			s.must("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		}, func(s *server) { s.must("CONFIG", "SET", "requirepass", "") }, true},
	}
}

// However Redis fails under load, no session does, and none waits for it: beside the
// instances that share, as many that do not have the same load.
func TestRedisFailsUnderLoad(t *testing.T) {
	a, b := newBackend(t, "a"), newBackend(t, "b")
	r := startRedis(t)
	options := "rate_limit user 1000000 1m"
	sharing := start(t, size/2, providers(options+"\n"+shared(r.url()), a.url, b.url))
	alone := start(t, size/2, providers(options, a.url, b.url))
	with, without := begin(sharing, 100), begin(alone, 100)
	defer with.stop()
	defer without.stop()
	time.Sleep(time.Second)
	measure := func(what string) {
		sent, p50, p99, wrong := with.clear()
		_, other50, other99, wrong2 := without.clear()
		t.Logf("%-20s %4d sessions: p50 %s, p99 %s; without Redis p50 %s, p99 %s; failed %d and %d", what, sent, ms(p50), ms(p99), ms(other50), ms(other99), len(wrong), len(wrong2))
		if len(wrong) > 0 {
			t.Errorf("%s: %d sessions failed, such as %s", what, len(wrong), wrong[0])
		}
		if extra := p99 - other99; extra > 100*time.Millisecond {
			t.Errorf("%s: p99 is %s longer than without Redis", what, extra)
		}
	}
	measure("before")
	time.Sleep(2 * time.Second)
	measure("well")
	for _, f := range faults() {
		f.begin(r)
		if f.away {
			eventually(t, f.name+": instances notice", func() bool {
				return all(sharing, func(i *instance) bool { return i.metric("shared_up") == "0" })
			})
		}
		time.Sleep(2 * time.Second)
		measure(f.name)
		f.mend(r)
		took := eventually(t, f.name+": instances share again", func() bool {
			return all(sharing, func(i *instance) bool { return i.metric("shared_up") == "1" })
		})
		t.Logf("%-20s shared again after %s", "", ms(took))
		measure("after it")
	}
}

func ms(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
