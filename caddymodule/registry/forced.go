package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// forcedPrefix is where Caddy's storage has the forced states.
const forcedPrefix = "chatkit/forced"

// storageTimeout bounds how long a load or a command waits for the storage.
const storageTimeout = 3 * time.Second

// forcedRecord is a forced state in Caddy's storage, which outlives a restart.
type forcedRecord struct {
	Provider string    `json:"provider"`
	Sites    Site      `json:"sites"`
	State    string    `json:"state"`
	Until    time.Time `json:"until"`
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"`
}

// forcedStore is the forced states in the storage of a configuration. What it
// cannot read or write is a warning: a restart then forgets what was forced, and
// nothing else fails.
type forcedStore struct {
	storage certmagic.Storage
	logger  *zap.Logger
	loaded  bool
	records map[string]forcedRecord // by key
}

func newForcedStore(ctx caddy.Context) *forcedStore {
	return &forcedStore{storage: ctx.Storage(), logger: ctx.Logger()}
}

// restore forces a provider that nobody had until now as it was before a restart.
func (s *forcedStore) restore(o *owner, sites Site) {
	if !s.loaded {
		s.loaded = true
		s.load()
	}
	var last forcedRecord
	for key, r := range s.records {
		if r.Provider != o.name || !r.Sites.overlaps(sites) {
			continue
		}
		o.records = append(o.records, key)
		if r.Until.After(last.Until) {
			last = r
		}
	}
	if last.State == "" {
		return
	}
	o.at, o.own = last.At, true
	o.override.Force(breaker.Force{State: breaker.State(last.State), Until: last.Until, Reason: last.Reason, By: who(last.By), At: last.At})
	s.logger.Warn("breaker is still forced", zap.String("provider", o.name), zap.String("state", last.State),
		zap.Time("until", last.Until), zap.String("reason", last.Reason))
}

// load reads all records, and deletes those that are over.
func (s *forcedStore) load() {
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	keys, err := s.storage.List(ctx, forcedPrefix, false)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.logger.Warn("forced states cannot be read; those from before a restart are lost", zap.Error(err))
		}
		return
	}
	s.records = make(map[string]forcedRecord, len(keys))
	for _, key := range keys {
		switch r, err := s.read(ctx, key); {
		case err != nil:
			s.logger.Warn("forced state cannot be read", zap.String("key", key), zap.Error(err))
		case !time.Now().Before(r.Until):
			_ = s.storage.Delete(ctx, key) // the next start tries again
		default:
			s.records[key] = r
		}
	}
}

// read reads a record, which anybody with access to the storage may have written.
func (s *forcedStore) read(ctx context.Context, key string) (r forcedRecord, err error) {
	raw, err := s.storage.Load(ctx, key)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, err
	}
	if state := breaker.State(r.State); state != breaker.ForcedOpen && state != breaker.ForcedClosed {
		return r, fmt.Errorf("invalid state %q (want %s or %s)", r.State, breaker.ForcedOpen, breaker.ForcedClosed)
	}
	if time.Until(r.Until) > maxForced {
		return r, fmt.Errorf("until %s is too far away (maximum 24h)", r.Until.Format(time.RFC3339))
	}
	return r, checkReason(r.Reason)
}

// force forces the breakers of a provider, and stores that.
func (o *owner) force(ctx context.Context, s *forcedStore, f breaker.Force) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.override.Force(f)
	o.commanded(f.At)
	sites := o.sites()
	record := forcedRecord{Provider: o.name, Sites: sites, State: string(f.State), Until: f.Until.UTC(), Reason: f.Reason, By: f.By, At: f.At.UTC()}
	key := recordKey(o.name, sites)
	raw, err := json.Marshal(record)
	if err == nil {
		err = s.write(ctx, key, raw)
	}
	if err != nil {
		s.logger.Warn("forced state cannot be stored; a restart will forget it", zap.String("provider", o.name), zap.Error(err))
		return
	}
	o.forget(ctx, s, key)
	o.records = []string{key}
}

// release ends the forced state of a provider, also in the storage.
func (o *owner) release(ctx context.Context, s *forcedStore) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.override.Release()
	o.commanded(time.Now())
	o.forget(ctx, s, "")
}

// forget deletes what is stored, but for one key.
func (o *owner) forget(ctx context.Context, s *forcedStore, keep string) {
	for _, key := range o.records {
		if key == keep {
			continue
		}
		if err := s.delete(ctx, key); err != nil {
			s.logger.Warn("forced state cannot be deleted; a restart will force the provider again",
				zap.String("provider", o.name), zap.Error(err))
		}
	}
	o.records = nil
}

func (s *forcedStore) write(ctx context.Context, key string, value []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storageTimeout)
	defer cancel()
	return s.storage.Store(ctx, key, value)
}

func (s *forcedStore) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storageTimeout)
	defer cancel()
	return s.storage.Delete(ctx, key)
}

// recordKey returns the key of a record. Names are safe in a path.
func recordKey(name string, sites Site) string {
	return path.Join(forcedPrefix, name+"-"+sites.Key()+".json")
}
