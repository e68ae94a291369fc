package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// visitorKeyLen is the length of the key that signs visitors' cookies, and the
// least that one in the configuration may have.
const visitorKeyLen = 32

// Where the key is kept, in Caddy's storage.
const (
	visitorKeyFile = "chatkit/visitor_key"
	visitorKeyLock = "chatkit_visitor_key"
)

// storageTimeout is how long loading a configuration waits for the storage.
const storageTimeout = 5 * time.Second

// key returns the key that signs visitors' cookies: the configured one, else the one
// in Caddy's storage, which all instances on that storage share.
func (c *AnonymousConfig) key(ctx caddy.Context) ([]byte, error) {
	if c.Key != "" {
		key, err := c.configuredKey(block.NewResolver())
		if err == nil && block.LiteralSecret(c.Key) {
			ctx.Logger().Warn("key of anonymous is written into the configuration; use {env.*} or {file.*}")
		}
		return []byte(key.Reveal()), err
	}
	bounded, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	key, err := storedKey(bounded, ctx.Storage())
	if err != nil { // visitors without a history are better off than without a chat
		ctx.Logger().Warn("the key of visitors' cookies is not in storage; visitors become new ones when Caddy restarts, "+
			"and on every other instance; mend the storage or set the key of anonymous", zap.Error(err))
	}
	return key, nil
}

func (c *AnonymousConfig) configuredKey(r block.Resolver) (session.Secret, error) {
	key, err := r.Secret("anonymous: key", c.Key)
	if err == nil && len(key) < visitorKeyLen {
		err = fmt.Errorf("anonymous: key has %d characters (want at least %d)", len(key), visitorKeyLen)
	}
	return key, err
}

// checkKey checks a key without placeholders while its line is still known.
func (c *AnonymousConfig) checkKey() error { return block.Literally(c.Key, c.configuredKey) }

// keyStore is what is used of Caddy's storage.
type keyStore interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
}

// lastKey is the key in use, for the time that the storage fails.
var lastKey struct {
	sync.Mutex
	key []byte
}

// storedKey returns the key in the storage and makes it where there is none. With an
// error it returns the one that this process had last.
func storedKey(ctx context.Context, s keyStore) ([]byte, error) {
	lastKey.Lock()
	defer lastKey.Unlock()
	if lastKey.key == nil {
		lastKey.key = make([]byte, visitorKeyLen)
		_, _ = rand.Read(lastKey.key) // never fails, by its documentation
	}
	key, err := loadKey(ctx, s)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = createKey(ctx, s, lastKey.key)
	}
	if err != nil {
		return lastKey.key, err
	}
	lastKey.key = key
	return key, nil
}

func loadKey(ctx context.Context, s keyStore) ([]byte, error) {
	key, err := s.Load(ctx, visitorKeyFile)
	if err == nil && len(key) != visitorKeyLen {
		err = fmt.Errorf("%s in storage has %d bytes (want %d; delete it for a new one)", visitorKeyFile, len(key), visitorKeyLen)
	}
	return key, err
}

// createKey puts a key into the storage, unless another instance was faster.
func createKey(ctx context.Context, s keyStore, key []byte) (_ []byte, err error) {
	if err := s.Lock(ctx, visitorKeyLock); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Unlock(context.WithoutCancel(ctx), visitorKeyLock)) }()
	if theirs, err := loadKey(ctx, s); !errors.Is(err, fs.ErrNotExist) {
		return theirs, err
	}
	return key, s.Store(ctx, visitorKeyFile, key)
}
