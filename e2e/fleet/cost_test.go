package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
	"github.com/caddy-chatkit/caddy-chatkit/internal/issuer"
	"github.com/caddy-chatkit/caddy-chatkit/internal/redisstore"
)

// info returns a figure that the server says of itself.
func (s *server) info(name string) int64 {
	s.t.Helper()
	for line := range strings.Lines(fmt.Sprint(s.must("INFO", "all"))) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	s.t.Fatalf("no %s", name)
	return 0
}

// dump returns every key and value, as the server stores them.
func (s *server) dump() (text string, keys int) {
	s.t.Helper()
	ctx := s.t.Context()
	all := s.Scan(ctx, 0, "*", 1000).Iterator()
	for all.Next(ctx) {
		key := all.Val()
		keys++
		text += key + "\n"
		switch s.Type(ctx, key).Val() {
		case "string":
			text += s.Get(ctx, key).Val() + "\n"
		case "hash":
			text += fmt.Sprint(s.HGetAll(ctx, key).Val()) + "\n"
		case "zset":
			text += fmt.Sprint(s.ZRangeWithScores(ctx, key, 0, -1).Val()) + "\n"
		default:
			s.t.Errorf("%s is a %s", key, s.Type(ctx, key).Val())
		}
	}
	return text, keys
}

// No secret, name or reason is in any key, value or message.
func TestNothingReadableInRedis(t *testing.T) {
	a, b := newBackend(t, "a"), newBackend(t, "b")
	r := startRedis(t)
	told := r.Subscribe(t.Context(), "chatkit:events")
	defer told.Close()
	messages := told.Channel()
	fleet := start(t, 2, "rate_limit user 1000 1m\n chatkit /chatkit\n"+providers(patient(r.url()), a.url, b.url))
	a.dead.Store(true)
	for n := range 20 {
		if _, err := fleet[n%2].session(fmt.Sprintf("planted-user-%d@example.com", n)); err != nil {
			t.Fatal(err)
		}
	}
	const turn = `{"type":"threads.add_user_message","params":{"thread_id":"planted-thread","input":{"content":[{"type":"input_text","text":"planted-text"}],"attachments":[],"inference_options":{}}}}`
	if _, err := fleet[0].post("/chatkit", turn, "X-User: planted-user", "Authorization: Bearer planted-credential"); err != nil {
		t.Fatal(err)
	}
	fleet[0].command("/chatkit/providers/b/open", `{"for":"1m","reason":"planted-reason"}`)
	eventually(t, "all is there", func() bool {
		text, _ := r.dump()
		return strings.Contains(text, ":forced") && strings.Contains(text, ":thread:")
	})
	text, keys := r.dump()
	for len(messages) > 0 {
		text += (<-messages).Payload
	}
	for _, secret := range []string{"planted", "example.com", "dial", "status_5xx", "127.0.0.1", fleetKey} {
		if strings.Contains(text, secret) {
			t.Errorf("%q can be read in Redis", secret)
		}
	}
	for _, kind := range []string{":open", ":forced", ":instances", ":session:", ":thread:", "rate:chatkit:rate:"} {
		if !strings.Contains(text, kind) {
			t.Errorf("no key of kind %s among %d", kind, keys)
		}
	}
}

// What 100,000 sessions take in Redis.
func TestMemoryOfSessions(t *testing.T) {
	const sessions = 100_000
	r := startRedis(t)
	codec, err := fleet.NewCodec(fleetKey)
	if err != nil {
		t.Fatal(err)
	}
	store, err := redisstore.Open(r.url(), fleet.Channel("chatkit"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	before := r.info("used_memory")
	text, err := json.Marshal(issuer.Record{Provider: "backend", Caller: strings.Repeat("a", 32), Until: 1795287995})
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < sessions; from += 250 {
		entries := make([]fleet.Entry, 250)
		for n := range entries {
			sum := codec.Hash("session", strconv.Itoa(from+n))
			key := fmt.Sprintf("chatkit:session:%x", sum)
			entries[n] = fleet.Entry{Key: key, Value: codec.Seal(key, text), TTL: time.Hour}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := store.Put(ctx, entries)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	bytes, keys := r.info("used_memory")-before, r.DBSize(t.Context()).Val()
	t.Logf("%d keys, %.1f MiB, %d bytes a session", keys, float64(bytes)/(1<<20), bytes/sessions)
	if keys != sessions || bytes/sessions > 400 {
		t.Errorf("%d keys and %d bytes a session", keys, bytes/sessions)
	}
}

// What sharing adds to the CPU of an instance, and what Redis has to do.
func TestCPUOfSharing(t *testing.T) {
	a, b := newBackend(t, "a"), newBackend(t, "b")
	r := startRedis(t)
	kinds := map[string]*instance{
		"alone":                      start(t, 1, providers("", a.url, b.url))[0],
		"sharing":                    start(t, 1, providers(shared(r.url()), a.url, b.url))[0],
		"alone, with a rate limit":   start(t, 1, providers("rate_limit user 1000000 1m", a.url, b.url))[0],
		"sharing, with a rate limit": start(t, 1, providers("rate_limit user 1000000 1m\n"+shared(r.url()), a.url, b.url))[0],
	}
	cpu := func(i *instance) float64 {
		v, err := strconv.ParseFloat(i.process("process_cpu_seconds_total"), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const sessions = 1000
	used := make(map[string]float64)
	for round := range 3 { // turn by turn, so that the machine is the same for all
		for kind, i := range kinds {
			before := cpu(i)
			for n := range sessions {
				if got, err := i.session(strconv.Itoa(n % 500)); err != nil || got.Status != 200 {
					t.Fatalf("got %v %+v", err, got)
				}
			}
			if round > 0 { // the first one warms up
				used[kind] += cpu(i) - before
			}
		}
	}
	for _, pair := range [][2]string{{"alone", "sharing"}, {"alone, with a rate limit", "sharing, with a rate limit"}} {
		t.Logf("%s: %.0f µs a session; %s: %.0f µs: %.2fx", pair[0], used[pair[0]]/2/sessions*1e6, pair[1], used[pair[1]]/2/sessions*1e6, used[pair[1]]/used[pair[0]])
	}
	t.Logf("Redis has done %d commands", r.info("total_commands_processed"))
}
