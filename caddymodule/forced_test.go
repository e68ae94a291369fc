package caddymodule_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// stored returns the files with forced states in the storage.
func (s *site) stored() []string {
	s.T.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir, "storage", "chatkit", "forced", "*"))
	if err != nil {
		s.T.Fatal(err)
	}
	return files
}

// restarted stops everything and loads a block, as a new process does.
func (s *site) restarted(block string) {
	s.T.Helper()
	if err := caddy.Stop(); err != nil {
		s.T.Fatal(err)
	}
	s.Load(block)
}

// A forced state outlives a restart, also one with other settings or one in between
// without the provider, and is gone when it is released.
func TestForcedStateOutlivesRestart(t *testing.T) {
	s := newSite(t, visitor)
	s.persistent()
	until := s.force("open", "backend", "1h").Forced.Until
	for _, block := range []string{visitor, retrying(visitor), openaiOnly, visitor + "\n deadline 9s"} {
		s.restarted(block)
		if block != openaiOnly {
			s.wantForced("after a restart", until)
		}
	}
	if got := s.Logged("caddy.log", `"breaker is still forced"`, `"provider":"backend"`, `"reason":"a deploy"`); len(got) != 3 {
		t.Errorf("%d lines say that it is still forced, want 3", len(got))
	}
	s.force("close", "backend", "2h")
	s.restarted(visitor)
	if p := s.statuses()["backend"]; p.State != "forced_closed" || time.Until(p.Forced.Until) < time.Hour {
		t.Errorf("forced again: got %+v", p)
	}
	if got := s.stored(); len(got) != 1 {
		t.Errorf("the storage has %q", got)
	}
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
	s.restarted(visitor)
	if p := s.statuses()["backend"]; p.State != "closed" || p.Forced != nil || len(s.stored()) != 0 {
		t.Errorf("released: got %+v, the storage has %q", p, s.stored())
	}
}

// record is a forced state as it stands in the storage.
func record(t *testing.T, raw []byte, change map[string]any) []byte {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	maps.Copy(r, change)
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A record that is over is deleted. One of another site or provider stays where it
// is, one that nobody of us has written is a warning, and none keeps a configuration
// from loading.
func TestForcedStateRecords(t *testing.T) {
	soon := time.Now().Add(time.Hour).Format(time.RFC3339)
	for _, tt := range []struct {
		name     string
		change   map[string]any
		raw      string
		deleted  bool
		warnings int
	}{
		{"over", map[string]any{"until": time.Now().Add(-time.Second).Format(time.RFC3339)}, "", true, 0},
		{"of another site", map[string]any{"sites": []string{"two.example.com@:443"}}, "", false, 0},
		{"of another provider", map[string]any{"provider": "another"}, "", false, 0},
		{"of no known state", map[string]any{"state": "open"}, "", false, 1},
		{"too far away", map[string]any{"until": time.Now().Add(48 * time.Hour).Format(time.RFC3339)}, "", false, 1},
		{"with a reason that is not text", map[string]any{"until": soon, "reason": "\x1b[2J"}, "", false, 1},
		{"not JSON", nil, "garbage", false, 1},
		{"empty", nil, " ", false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, visitor)
			s.persistent()
			s.force("open", "backend", "1h")
			file := s.stored()[0]
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if tt.raw == "" {
				raw = record(t, raw, tt.change)
			} else {
				raw = []byte(tt.raw)
			}
			if err := os.WriteFile(file, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			s.restarted(visitor)
			if p := s.statuses()["backend"]; p.State != "closed" || p.Forced != nil {
				t.Errorf("got %+v", p)
			}
			if got := s.stored(); (len(got) == 0) != tt.deleted {
				t.Errorf("the storage has %q", got)
			}
			if got := s.Logged("caddy.log", `"level":"warn"`, `"forced state cannot be read"`); len(got) != tt.warnings {
				t.Errorf("got %d warnings: %q", len(got), got)
			}
		})
	}
}

// What is stored is what an operator has said, and nothing of the configuration.
func TestForcedStateRecordHasNoSecrets(t *testing.T) {
	s := newSite(t, visitor)
	until := s.force("open", "backend", "1h").Forced.Until
	raw, err := os.ReadFile(s.stored()[0])
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(raw, &r); err != nil || len(r) != 7 || r["by"] != "by the admin API from 127.0.0.1" || r["at"] == "" || r["provider"] != "backend" || r["state"] != "forced_open" ||
		r["reason"] != "a deploy" || r["until"] != until.Format(time.RFC3339Nano) {
		t.Errorf("got %s", raw)
	}
	if strings.Contains(string(raw), "planted") {
		t.Errorf("a secret is in %s", raw)
	}
}

// A storage that cannot be written or read is a warning. The state is forced all the
// same, and configurations load.
func TestForcedStateWithoutStorage(t *testing.T) {
	s := newUnloadedSite(t)
	storage := filepath.Join(s.Dir, "storage")
	if err := errors.Join(os.MkdirAll(storage, 0o700), os.WriteFile(filepath.Join(storage, "chatkit"), nil, 0o600)); err != nil { // where the folder would be
		t.Fatal(err)
	}
	s.Load(visitor)
	s.persistent()
	until := s.force("open", "backend", "1h").Forced.Until
	s.Load(retrying(visitor))
	s.wantForced("after a reload", until)
	s.admin(http.MethodPost, "/chatkit/providers/backend/auto", "")
	if p := s.statuses()["backend"]; p.Forced != nil {
		t.Errorf("released: got %+v", p)
	}
	if got := s.Logged("caddy.log", `"level":"warn"`, "forced state"); len(got) != 2 {
		t.Errorf("want one line for reading and one for writing, got %q", got)
	}
}
