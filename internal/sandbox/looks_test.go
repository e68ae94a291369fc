package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// look checks what a client saw under one fault.
type look func(t *testing.T, k kind, got seen)

// looks has a check for every fault but Hang, whose client must leave first.
var looks = map[sandbox.Fault]look{
	sandbox.None:             wantSession,
	sandbox.Slow:             wantSession,
	sandbox.Refuse:           wantError(syscall.ECONNREFUSED),
	sandbox.Reset:            wantError(syscall.ECONNRESET),
	sandbox.Garbage:          wantGarbage,
	sandbox.Cut:              wantCut(false),
	sandbox.CutChunked:       wantCut(true),
	sandbox.Status500:        wantStatus(500, ""),
	sandbox.Status501:        wantStatus(501, ""),
	sandbox.Status503:        wantPlain503(false, ""),
	sandbox.Status503Chunked: wantPlain503(true, ""),
	sandbox.Status503Retry:   wantPlain503(false, "1"),
	sandbox.Status429:        wantStatus(429, "1"),
	sandbox.Status429Bare:    wantStatus(429, ""),
	sandbox.Status425:        wantStatus(425, ""),
	sandbox.Status422:        wantStatus(422, ""),
	sandbox.Status409:        wantStatus(409, ""),
	sandbox.Status408:        wantStatus(408, ""),
	sandbox.Status405:        wantStatus(405, ""),
	sandbox.Status404:        wantStatus(404, ""),
	sandbox.Status403:        wantStatus(403, ""),
	sandbox.Status401:        wantStatus(401, ""),
	sandbox.Status400:        wantStatus(400, ""),
	sandbox.Status301:        wantRedirect,
	sandbox.HTML:             wantBody("text/html; charset=utf-8", func(b string) bool { return strings.Contains(b, "<html>") }),
	sandbox.Null:             wantBody("application/json", func(b string) bool { return b == "null" }),
	sandbox.Empty:            wantBody("application/json", func(b string) bool { return b == "{}" }),
	sandbox.NoBody:           wantBody("application/json", func(b string) bool { return b == "" }),
	sandbox.Nested:           wantBody("application/json", isNested),
	sandbox.EmptySecret:      wantSecret(func(v any) bool { return v == "" }),
	sandbox.Numeric:          wantSecret(func(v any) bool { _, ok := v.(json.Number); return ok }),
	sandbox.ControlChars:     wantSecret(func(v any) bool { s, _ := v.(string); return strings.ContainsAny(s, "\x00\r\n\x1b") }),
	sandbox.LongSecret:       wantSecret(func(v any) bool { s, _ := v.(string); return len(s) == 9<<10 }),
	sandbox.Expired:          wantExpired,
	sandbox.Huge:             wantHuge,
}

func wantSession(t *testing.T, k kind, got seen) {
	t.Helper()
	wantBody("application/json", func(string) bool { return true })(t, k, got)
	o := got.object(t)
	if secret, _ := o[k.secret].(string); secret == "" {
		t.Errorf("no secret in %s", got.body)
	}
	if at := expiry(t, o["expires_at"]); !near(at, time.Now().Add(k.lifetime)) {
		t.Errorf("expires at %v, want in %v", at, k.lifetime)
	}
}

func wantError(want error) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if !errors.Is(got.err, want) {
			t.Errorf("error %v, status %d, want %v", got.err, got.status, want)
		}
	}
}

func wantGarbage(t *testing.T, _ kind, got seen) {
	t.Helper()
	if got.err == nil || !strings.Contains(got.err.Error(), "malformed HTTP") {
		t.Errorf("error %v, status %d, want a malformed response", got.err, got.status)
	}
}

func wantCut(chunked bool) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.status != 200 || got.chunked != chunked {
			t.Errorf("status %d, chunked %v (%v)", got.status, got.chunked, got.err)
		}
		if !errors.Is(got.bodyErr, io.ErrUnexpectedEOF) || got.body == "" {
			t.Errorf("body %q, error %v, want half of it and an unexpected end", got.body, got.bodyErr)
		}
	}
}

func wantStatus(status int, retryAfter string) look {
	return func(t *testing.T, k kind, got seen) {
		t.Helper()
		if got.status != status || got.bodyErr != nil || got.err != nil {
			t.Fatalf("status %d (%v, %v), want %d", got.status, got.err, got.bodyErr, status)
		}
		if ra := got.header.Get("Retry-After"); ra != retryAfter {
			t.Errorf("Retry-After %q, want %q", ra, retryAfter)
		}
		wantProblem(t, k, got)
	}
}

// wantProblem checks that an error body has the format of its service.
func wantProblem(t *testing.T, k kind, got seen) {
	t.Helper()
	o := got.object(t)
	if k.name == "backend" {
		if o["detail"] == nil {
			t.Errorf("no detail in %s", got.body)
		}
		return
	}
	inner, _ := o["error"].(map[string]any)
	for _, field := range []string{"message", "type", "param", "code"} {
		if _, ok := inner[field]; !ok {
			t.Errorf("no %s in %s", field, got.body)
		}
	}
	if got.header.Get("X-Request-Id") == "" {
		t.Error("no x-request-id")
	}
}

func wantPlain503(chunked bool, retryAfter string) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.status != 503 || got.chunked != chunked || got.bodyErr != nil || json.Valid([]byte(got.body)) {
			t.Errorf("got %d %q, chunked %v (%v)", got.status, got.body, got.chunked, got.bodyErr)
		}
		if ra := got.header.Get("Retry-After"); ra != retryAfter {
			t.Errorf("Retry-After %q, want %q", ra, retryAfter)
		}
	}
}

func wantRedirect(t *testing.T, _ kind, got seen) {
	t.Helper()
	if got.status != 301 || !strings.Contains(got.header.Get("Location"), ".invalid/") {
		t.Errorf("got %d to %q", got.status, got.header.Get("Location"))
	}
}

func wantBody(contentType string, ok func(string) bool) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.err != nil || got.bodyErr != nil || got.status != 200 {
			t.Fatalf("status %d (%v, %v), want 200", got.status, got.err, got.bodyErr)
		}
		if ct := got.header.Get("Content-Type"); ct != contentType || got.chunked {
			t.Errorf("content type %q, chunked %v", ct, got.chunked)
		}
		if !ok(got.body) {
			t.Errorf("body %.200q", got.body)
		}
	}
}

func wantSecret(ok func(any) bool) look {
	return func(t *testing.T, k kind, got seen) {
		t.Helper()
		if secret := got.object(t)[k.secret]; got.status != 200 || !ok(secret) {
			t.Errorf("status %d, secret %.80q (%T)", got.status, secret, secret)
		}
	}
}

func wantExpired(t *testing.T, _ kind, got seen) {
	t.Helper()
	if at := expiry(t, got.object(t)["expires_at"]); got.status != 200 || !near(at, time.Now().Add(-time.Hour)) {
		t.Errorf("status %d, expires at %v, want an hour ago", got.status, at)
	}
}

func wantHuge(t *testing.T, k kind, got seen) {
	t.Helper()
	o := got.object(t)
	secret, _ := o[k.secret].(string)
	if secret == "" || got.status != 200 || got.bodyErr != nil {
		t.Fatalf("status %d (%v), secret %q", got.status, got.bodyErr, secret)
	}
	if !strings.HasSuffix(got.body, `","padding":"`+padding+`"}`) && !strings.HasSuffix(got.body, `},"padding":"`+padding+`"}`) {
		t.Errorf("%d bytes, padding not at the end", len(got.body))
	}
}

func isNested(b string) bool {
	return b == strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)
}
