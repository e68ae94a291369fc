package registry

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
)

// What the admin API is sent is a force that holds, or a refusal with a status.
func FuzzForceRequest(f *testing.F) {
	for _, seed := range []string{
		`{"for":"10m","reason":"deploy","by":"me"}`, `{"for":"-1s"}`, `{"for":"25h"}`, `{"for":"1d"}`, `{"for":10}`, "", "null", "[]", "{}{}",
		`{"for":"10m","reason":"a\nb"}`, `{"for":"10m","for":"1s"}`, `{"For":"10m"}`, `{"for":"9223372036854775807ns"}`, `{"for":"10m","x":1}`, "{\"for\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		force, err := readForce(io.NopCloser(strings.NewReader(body)), breaker.ForcedOpen)
		if err != nil {
			if api, ok := errors.AsType[caddy.APIError](err); !ok || api.HTTPStatus < 400 || api.HTTPStatus > 499 {
				t.Errorf("%q is refused with %v", body, err)
			}
			return
		}
		if left := time.Until(force.Until); left > maxForced || checkReason(force.Reason) != nil || checkReason(force.By) != nil {
			t.Errorf("%q gave %+v", body, force)
		}
	})
}

// What stands in the storage is a forced state that an operator could have asked
// for, or is not taken.
func FuzzForcedRecord(f *testing.F) {
	for _, seed := range []string{
		`{"provider":"a","sites":{},"state":"forced_open","until":"2126-01-01T00:00:00Z"}`, `{"state":"open"}`, "", "null", "[]", "{",
		`{"provider":"a","state":"forced_closed","until":"2020-01-01T00:00:00Z","reason":"x","by":"y","at":"2020-01-01T00:00:00Z"}`,
		`{"state":"forced_open","reason":"a\u0000b"}`, `{"state":"forced_open","until":"0000-01-01T00:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := &forcedStore{storage: oneRecord{raw: raw}}
		r, err := s.read(t.Context(), "key")
		if err != nil {
			return
		}
		if time.Until(r.Until) > maxForced || checkReason(r.Reason) != nil || r.State != string(breaker.ForcedOpen) && r.State != string(breaker.ForcedClosed) {
			t.Errorf("%q was taken: %+v", raw, r)
		}
	})
}

// oneRecord is a storage with one record, to read from.
type oneRecord struct {
	certmagic.Storage

	raw []byte
}

// Load implements [certmagic.Storage].
func (o oneRecord) Load(context.Context, string) ([]byte, error) { return o.raw, nil }
