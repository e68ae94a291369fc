package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

// Store is a Redis that instances share. It implements [fleet.Engine].
type Store struct {
	client  redis.UniversalClient
	rates   *redis_rate.Limiter
	channel string
}

// Open returns the store at an address. It connects when it is used.
func Open(address, channel string) (*Store, error) {
	client, err := connect(address)
	if err != nil {
		return nil, err
	}
	c := client()
	return &Store{c, redis_rate.NewLimiter(c), channel}, nil
}

// Close implements [fleet.Engine].
func (s *Store) Close() error { return s.client.Close() }

// Ping implements [fleet.Engine].
func (s *Store) Ping(ctx context.Context) error { return known(s.client.Ping(ctx).Err()) }

// rules are the rules as scripts know them.
var rules = map[fleet.Rule]string{
	fleet.Always: "always", fleet.First: "first", fleet.Longest: "longest", fleet.Newest: "newest", fleet.Own: "own",
}

// Put implements [fleet.Engine]. An entry that needs no script takes none: that is
// what most of them are, one for each session.
func (s *Store) Put(ctx context.Context, entries []fleet.Entry) error {
	simple := make([]fleet.Entry, 0, len(entries))
	for i := range entries {
		if e := &entries[i]; needsScript(e) {
			keys := append([]string{e.Key}, e.Drop...)
			if err := putScript.Run(ctx, s.client, keys, rules[e.Rule], e.TTL.Milliseconds(), e.Age.Milliseconds(),
				e.Value, s.channel, e.Message).Err(); err != nil {
				return known(err)
			}
			continue
		}
		simple = append(simple, entries[i])
	}
	if len(simple) == 0 {
		return nil
	}
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range simple {
			set(ctx, p, &simple[i])
		}
		return nil
	})
	if errors.Is(err, redis.Nil) { // it was there before
		return nil
	}
	return known(err)
}

func needsScript(e *fleet.Entry) bool {
	return len(e.Drop) > 0 || e.Message != nil || e.Rule != fleet.Always && e.Rule != fleet.First
}

// set keeps an entry that needs no script.
func set(ctx context.Context, p redis.Pipeliner, e *fleet.Entry) {
	if e.Rule == fleet.Always {
		p.Set(ctx, e.Key, e.Value, e.TTL)
		return
	}
	p.SetArgs(ctx, e.Key, e.Value, redis.SetArgs{Mode: "NX", TTL: e.TTL})
	p.PExpire(ctx, e.Key, e.TTL)
}

// Look implements [fleet.Engine].
func (s *Store) Look(ctx context.Context, keys []string) ([]fleet.Kept, error) {
	list, err := lookScript.Run(ctx, s.client, keys).Slice()
	if err != nil {
		return nil, known(err)
	}
	found := make([]fleet.Kept, len(keys))
	for i := range keys {
		if len(list) <= 2*i+2 {
			return nil, fmt.Errorf("the script returned %d values", len(list))
		}
		found[i] = kept(list[0], list[2*i+1], list[2*i+2])
	}
	return found, nil
}

// kept reads a value with what is known of it.
func kept(now, value, left any) (k fleet.Kept) {
	text, ok := value.(string)
	if !ok {
		return k
	}
	k.Value = []byte(text)
	if n, ok := left.(int64); ok && n > 0 {
		k.Left = time.Duration(n) * time.Millisecond
	}
	text, ok = strings.CutPrefix(text, "version ")
	version, rest, _ := strings.Cut(text, " ")
	at, err := strconv.ParseInt(version, 10, 64)
	n, isNumber := now.(int64)
	if !ok || err != nil || !isNumber {
		return k // it was not kept as the newest
	}
	k.Value, k.Age = []byte(rest), time.Duration(max(n-at, 0))*time.Millisecond
	return k
}

// Lease implements [fleet.Engine].
func (s *Store) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, time.Duration, error) {
	left, err := leaseScript.Run(ctx, s.client, []string{key}, owner, ttl.Milliseconds()).Int64()
	return err == nil && left == 0, time.Duration(left) * time.Millisecond, known(err)
}

// Take implements [fleet.Engine].
func (s *Store) Take(ctx context.Context, key string, r fleet.Rate, n int) (int, time.Duration, error) {
	limit := redis_rate.Limit{Rate: r.N, Burst: r.N, Period: r.Per}
	res, err := s.rates.AllowAtMost(ctx, key, limit, min(n, r.N))
	switch {
	case err != nil:
		return 0, 0, known(err)
	case res.Allowed >= n:
		return res.Allowed, 0, nil
	}
	// RetryAfter is -1 where some were allowed: the next one comes in its turn.
	return res.Allowed, max(res.RetryAfter, time.Millisecond), nil
}

// Beat implements [fleet.Engine].
func (s *Store) Beat(ctx context.Context, key, instance string, value []byte, life time.Duration) error {
	return known(beatScript.Run(ctx, s.client, []string{key, key + ":at"}, instance, value, life.Milliseconds()).Err())
}

// Roll implements [fleet.Engine].
func (s *Store) Roll(ctx context.Context, key string, life time.Duration) (map[string]fleet.Beat, error) {
	list, err := rollScript.Run(ctx, s.client, []string{key, key + ":at"}, life.Milliseconds()).Slice()
	if err != nil {
		return nil, known(err)
	}
	beats := make(map[string]fleet.Beat, len(list)/3)
	for i := 0; i+2 < len(list); i += 3 {
		name, _ := list[i].(string)
		value, _ := list[i+1].(string)
		age, _ := list[i+2].(int64)
		beats[name] = fleet.Beat{Value: bytes.Clone([]byte(value)), Age: time.Duration(age) * time.Millisecond}
	}
	return beats, nil
}

// refusals are how errors begin that a server answers with at once, and that are not
// about the connection: it is full, read-only, starting, or without enough replicas.
var refusals = []string{"OOM", "READONLY", "MISCONF", "LOADING", "NOREPLICAS", "CLUSTERDOWN"}

// known marks the errors of a server that answers.
func known(err error) error {
	for _, prefix := range refusals {
		if err != nil && redis.HasErrorPrefix(err, prefix) {
			return fmt.Errorf("%w: %w", fleet.ErrRefused, err)
		}
	}
	return err
}

// Interface guards.
var _ fleet.Engine = (*Store)(nil)
