package fleet_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// sharesAll checks on any engine what instances tell each other: a breaker that
// opens, a session, a limit, what an operator has forced.
func sharesAll(t *testing.T, url string) []*instance {
	t.Helper()
	a, b := newBackend(t, "a"), newBackend(t, "b")
	fleet := start(t, 3, "rate_limit user 60 1h\n"+providers(patient(url), a.url, b.url))
	a.dead.Store(true)
	for n := range 5 {
		if got, err := fleet[0].session(fmt.Sprint(n)); err != nil || got.Provider != "b" {
			t.Fatalf("got %v %+v", err, got)
		}
	}
	took := eventually(t, "open everywhere", func() bool {
		return all(fleet, func(i *instance) bool { return i.state() == "open" })
	})
	t.Logf("open everywhere %s after the trip", took)
	if calls := a.calls.Load(); calls != 5 {
		t.Errorf("%d calls of the dead backend, want 5", calls)
	}
	got, err := fleet[1].session("alice")
	if err != nil || got.Provider != "b" {
		t.Fatalf("got %v %+v", err, got)
	}
	a.dead.Store(false)
	users := 0
	eventually(t, "back everywhere", func() bool {
		users++
		_, _ = fleet[0].session(fmt.Sprint("prober ", users))
		return all(fleet, func(i *instance) bool { return i.state() == "closed" })
	})
	stream, err := fleet[2].post("/api/custom/stream", `{}`, "Authorization: Bearer "+got.Secret)
	if err != nil || !strings.Contains(stream.Raw, "data: b") {
		t.Errorf("stream: %v %+v", err, stream)
	}
	fleet[2].command("/chatkit/providers/a/open", `{"for":"1m"}`)
	eventually(t, "forced everywhere", func() bool {
		return all(fleet, func(i *instance) bool { return i.state() == "forced_open" })
	})
	fleet[0].command("/chatkit/providers/a/auto", `{}`)
	eventually(t, "released everywhere", func() bool {
		return all(fleet, func(i *instance) bool { return i.state() == "closed" })
	})
	limited := 0
	for n := range 80 {
		if got, _ := fleet[n%3].session("x"); got.Status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 20 {
		t.Errorf("%d of 80 requests over the limit were refused", limited)
	}
	return fleet
}

func TestOneServer(t *testing.T) { sharesAll(t, startRedis(t).url()) }

// Over TLS would be the same client; a user with the least rights is not.
func TestLeastRights(t *testing.T) {
	r := startRedis(t)
	r.must(append([]any{"ACL", "SETUSER"}, leastRights...)...)
	sharesAll(t, "redis://chatkit:app-pw@"+r.addr)
	for line := range strings.SplitSeq(fmt.Sprint(r.must("ACL", "LOG")), "\n") {
		if strings.Contains(line, "reason") {
			t.Errorf("denied: %s", line)
		}
	}
}

// leastRights are the rights that docs/operate/fleet.md gives the user of instances.
var leastRights = []any{
	"chatkit", "on", ">app-pw", "resetkeys", "~chatkit:*", "~rate:chatkit:*", "resetchannels", "&chatkit:events", "-@all",
	"+ping", "+hello", "+auth", "+subscribe", "+unsubscribe", "+publish",
	"+set", "+get", "+del", "+exists", "+pttl", "+pexpire", "+time", "+eval", "+evalsha", "+script|load",
	"+hset", "+hget", "+hdel", "+zadd", "+zrem", "+zrangebyscore",
}

// A Sentinel says which server is the master, and instances follow it to another.
func TestSentinel(t *testing.T) {
	testtools.Program(t, "redis-sentinel")
	master := startRedis(t)
	host, port, err := net.SplitHostPort(master.addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := startRedis(t, "--replicaof", host+" "+port)
	eventually(t, "replica follows", func() bool {
		return strings.Contains(fmt.Sprint(replica.must("INFO", "replication")), "master_link_status:up")
	})
	addr := testsite.FreeAddr(t)
	_, at, _ := net.SplitHostPort(addr)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	conf := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor mymaster %s %s 1\nsentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n", at, host, port)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	startAt(t, addr, file, "--sentinel")
	fleet := sharesAll(t, "redis+sentinel://"+addr+"?master_name=mymaster")
	master.kill()
	eventually(t, "instances notice", func() bool { return fleet[0].metric("shared_up") == "0" })
	took := eventually(t, "instances follow to the new master", func() bool {
		return all(fleet, func(i *instance) bool { return i.metric("shared_up") == "1" })
	})
	t.Logf("shared again %s after the master was missed", took.Round(time.Millisecond))
	fleet[0].command("/chatkit/providers/a/open", `{"for":"1m"}`)
	eventually(t, "forced everywhere by the new master", func() bool {
		return all(fleet, func(i *instance) bool { return i.state() == "forced_open" })
	})
	if n := len(fmt.Sprint(replica.must("KEYS", "chatkit:*"))); n < 10 {
		t.Error("the new master has no keys")
	}
}

// A Cluster of three masters.
func TestCluster(t *testing.T) {
	nodes := make([]*server, 3)
	for n := range nodes {
		nodes[n] = startRedis(t, "--cluster-enabled", "yes", "--cluster-port", testsite.FreePort(t), "--cluster-node-timeout", "2000")
	}
	const slots = 16384
	for n, s := range nodes {
		s.must("CLUSTER", "ADDSLOTSRANGE", n*slots/3, (n+1)*slots/3-1)
		s.must("CLUSTER", "SET-CONFIG-EPOCH", n+1)
	}
	for _, s := range nodes[1:] {
		host, port, err := net.SplitHostPort(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		bus, err := s.ConfigGet(t.Context(), "cluster-port").Result()
		if err != nil {
			t.Fatal(err)
		}
		nodes[0].must("CLUSTER", "MEET", host, port, bus["cluster-port"])
	}
	for _, s := range nodes {
		eventually(t, "cluster is there", func() bool { return strings.Contains(fmt.Sprint(s.must("CLUSTER", "INFO")), "cluster_state:ok") })
	}
	sharesAll(t, "redis+cluster://"+nodes[0].addr+"?addr="+nodes[1].addr)
}
