package identity

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// store is a storage in memory that several instances share.
type store struct {
	lock sync.Mutex // of the storage's users

	mu     sync.Mutex
	key    []byte
	stored int

	loadErr, lockErr, storeErr error
}

func (s *store) Load(context.Context, string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loadErr != nil {
		return nil, s.loadErr
	}
	if s.key == nil {
		return nil, fs.ErrNotExist
	}
	return s.key, nil
}

func (s *store) Store(_ context.Context, _ string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.storeErr != nil {
		return s.storeErr
	}
	s.key, s.stored = bytes.Clone(value), s.stored+1
	return nil
}

func (s *store) Lock(context.Context, string) error {
	if s.lockErr == nil {
		s.lock.Lock()
	}
	return s.lockErr
}

func (s *store) Unlock(context.Context, string) error {
	s.lock.Unlock()
	return nil
}

// forget makes the process a new one.
func forget(t *testing.T) {
	t.Helper()
	lastKey.Lock()
	defer lastKey.Unlock()
	lastKey.key = nil
}

// Instances that start at once on an empty storage agree on one key.
func TestStoredKeyIsMadeOnce(t *testing.T) {
	s := new(store)
	keys := make([][]byte, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			own := bytes.Repeat([]byte{byte(i)}, visitorKeyLen)
			key, err := createKey(t.Context(), s, own)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	all.Wait()
	for i, key := range keys {
		if !bytes.Equal(key, s.key) || s.stored != 1 {
			t.Errorf("instance %d has %x, the storage %x, stored %d times", i, key, s.key, s.stored)
		}
	}
}

// A storage that fails does not keep visitors from chatting, nor make those of this
// process new ones.
func TestStoredKeyOfAStorageThatFails(t *testing.T) {
	broken := errors.New("broken")
	for name, s := range map[string]*store{
		"reading": {loadErr: broken}, "locking": {lockErr: broken}, "writing": {storeErr: broken}, "another length": {key: []byte("short")},
	} {
		t.Run(name, func(t *testing.T) {
			forget(t)
			first, err := storedKey(t.Context(), s)
			if err == nil || len(first) != visitorKeyLen {
				t.Fatalf("got %x, %v", first, err)
			}
			again, err := storedKey(t.Context(), s)
			if err == nil || !bytes.Equal(first, again) {
				t.Errorf("got %x, %v, then %x", first, err, again)
			}
			*s = store{} // mended
			mended, err := storedKey(t.Context(), s)
			if err != nil || !bytes.Equal(first, mended) || !bytes.Equal(s.key, first) {
				t.Errorf("mended: got %x, %v", mended, err)
			}
		})
	}
	t.Run("a key of others, and later no storage", func(t *testing.T) {
		forget(t)
		s := &store{key: bytes.Repeat([]byte("k"), visitorKeyLen)}
		first, err := storedKey(t.Context(), s)
		s.loadErr = broken
		again, failed := storedKey(t.Context(), s)
		if err != nil || failed == nil || !bytes.Equal(first, s.key) || !bytes.Equal(again, s.key) {
			t.Errorf("got %x, %v, then %x, %v", first, err, again, failed)
		}
	})
}

// Whatever stands in a cookie, nobody is known by what we have not signed.
func FuzzVisitorCookie(f *testing.F) {
	v := visitors{cookie: "c", signer: newSigner(bytes.Repeat([]byte("k"), visitorKeyLen))}
	const id = "3f2a0b1c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
	good := id + "." + v.sign(id, "a.test")
	for _, seed := range []string{"", "c=" + good, "c=" + id, `c="` + good + `"`, "c=.; c=" + good, "c=" + id + ".", "c=\xff.\x00", "__Host-c=" + good} {
		f.Add(seed, "a.test:8080")
		f.Add(seed, "b.test")
	}
	f.Fuzz(func(t *testing.T, cookie, host string) {
		r := &http.Request{Header: http.Header{"Cookie": {cookie}}, Host: host}
		w := httptest.NewRecorder()
		user := v.identify(w, r)
		known := w.Header().Get("Set-Cookie") == ""
		if !IsVisitor(user) || known && (user != visitorPrefix+id || !bytes.Contains([]byte(cookie), []byte(good))) {
			t.Errorf("%q of %q is %s", cookie, host, user)
		}
	})
}

// Signatures are what they have always been, also when many are made at once: cookies
// of visitors live for a month.
func TestSignaturesStayTheSame(t *testing.T) {
	key := bytes.Repeat([]byte("k"), visitorKeyLen)
	s := newSigner(key)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				id, host := strings.Repeat("i", n), fmt.Sprintf("%d.test", i)
				mac := hmac.New(sha256.New, key)
				mac.Write([]byte("visitor\x00" + host + "\x00" + id))
				if got, want := s.sign(id, host), base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); got != want {
					t.Errorf("%q of %s is signed %s, want %s", id, host, got, want)
				}
			}
		})
	}
	all.Wait()
}
