package redisstore

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// wanted is how an address is written.
const wanted = "want redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// with a host, or rediss+ for TLS"

// Check returns an error for an address that cannot be used. It never repeats the
// address, which may hold a password.
func Check(address string) error {
	_, err := connect(address)
	return err
}

// connect returns a client for an address, which is not connected yet.
func connect(address string) (func() redis.UniversalClient, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return nil, errors.New("invalid address (" + wanted + ")")
	}
	plain, kind, _ := strings.Cut(scheme, "+")
	if plain != "redis" && plain != "rediss" && scheme != "unix" {
		return nil, fmt.Errorf("invalid scheme %q (%s)", scheme, wanted)
	}
	switch kind {
	case "":
		return server(plain + "://" + rest)
	case "sentinel":
		return sentinel(plain + "://" + rest)
	case "cluster":
		return cluster(plain + "://" + rest)
	}
	return nil, fmt.Errorf("invalid scheme %q (%s)", scheme, wanted)
}

// Time limits and sizes. The context of a call is the limit that matters.
const (
	dialTimeout = time.Second
	ioTimeout   = time.Second
	poolSize    = 16 // connections to a server
)

func server(address string) (func() redis.UniversalClient, error) {
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, unnamed(err)
	}
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.DisableIdentity = -1, 1, true, true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dialTimeout, ioTimeout, ioTimeout, ioTimeout
	o.PoolSize, o.MinIdleConns = poolSize, 1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return func() redis.UniversalClient { return redis.NewClient(o) }, nil
}

func sentinel(address string) (func() redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(address)
	if err != nil {
		return nil, unnamed(err)
	}
	if o.MasterName == "" {
		return nil, errors.New("master_name is missing (want redis+sentinel://sentinel-1:26379?master_name=mymaster)")
	}
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.DisableIdentity = -1, 1, true, true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dialTimeout, ioTimeout, ioTimeout, ioTimeout
	o.PoolSize, o.MinIdleConns = poolSize, 1
	return func() redis.UniversalClient { return redis.NewFailoverClient(o) }, nil
}

func cluster(address string) (func() redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(address)
	if err != nil {
		return nil, unnamed(err)
	}
	// A moved slot is followed; that is not a second try.
	o.MaxRedirects, o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.DisableIdentity = 3, -1, 1, true, true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dialTimeout, ioTimeout, ioTimeout, ioTimeout
	o.PoolSize, o.MinIdleConns = poolSize, 1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return func() redis.UniversalClient { return redis.NewClusterClient(o) }, nil
}

// unnamed returns an error that does not repeat the address: an error of net/url has
// all of it, password included.
func unnamed(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("invalid address (%s): %s", wanted, strings.TrimSpace(strings.SplitN(u.Err.Error(), `"`, 2)[0]))
	}
	return fmt.Errorf("invalid address: %w", err)
}
