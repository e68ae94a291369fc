package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// look checks what a client saw under one fault.
type look func(t *testing.T, k kind, got seen)

// looks has a check for every fault but Hang, whose client must leave first, and
// those whose name is a status: see kind.look.
var looks = map[sandbox.Fault]look{
	sandbox.None:             wantSession,
	sandbox.Slow:             wantSession,
	sandbox.Refuse:           wantError(func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }),
	sandbox.Reset:            wantError(func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }),
	sandbox.Garbage:          wantError(func(err error) bool { return strings.Contains(err.Error(), "malformed HTTP") }),
	sandbox.Cut:              wantCut(false),
	sandbox.CutChunked:       wantCut(true),
	sandbox.Status503:        wantOverloaded(false, ""),
	sandbox.Status503Chunked: wantOverloaded(true, ""),
	sandbox.Status503Retry:   wantOverloaded(false, "1"),
	sandbox.Status429:        wantStatus(429, "1"),
	sandbox.HTML:             wantBody("text/html; charset=utf-8", func(b string) bool { return strings.Contains(b, "<html>") }),
	sandbox.Null:             wantBody("application/json", func(b string) bool { return b == "null" }),
	sandbox.Empty:            wantBody("application/json", func(b string) bool { return b == "{}" }),
	sandbox.NoBody:           wantBody("application/json", func(b string) bool { return b == "" }),
	sandbox.Nested: wantBody("application/json", func(b string) bool {
		return b == strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)
	}),
	sandbox.Huge: wantBody("application/json", func(b string) bool {
		return strings.HasPrefix(b, `{"`) && strings.HasSuffix(b, `,"padding":"`+padding+`"}`)
	}),
	sandbox.EmptySecret:  wantSecret(func(v any) bool { return v == "" }),
	sandbox.Numeric:      wantSecret(func(v any) bool { _, ok := v.(json.Number); return ok }),
	sandbox.ControlChars: wantSecret(func(v any) bool { return strings.Contains(text(v), "\x00\r\n\x1b[31m") }),
	sandbox.LongSecret:   wantSecret(func(v any) bool { return len(text(v)) == 9<<10 }),
	sandbox.Expired: func(t *testing.T, _ kind, got seen) {
		t.Helper()
		wantEnd(t, got.object(t)["expires_at"], -time.Hour)
	},
}

// harmless are the faults that leave a stream whole.
var harmless = []sandbox.Fault{
	sandbox.None, sandbox.Slow, sandbox.EmptySecret, sandbox.Numeric, sandbox.Expired,
	sandbox.ControlChars, sandbox.LongSecret, sandbox.Huge,
}

// look returns the check for a fault.
func (k kind) look(f sandbox.Fault) look {
	name, _ := strings.CutSuffix(string(f), "-bare")
	status, err := strconv.Atoi(name)
	switch check := looks[f]; {
	case k.name == "stream" && slices.Contains(harmless, f):
		return wantReply
	case check == nil && err == nil:
		return wantStatus(status, "")
	default:
		return check
	}
}

// Every fault does on the wire what it says, and the server records the request
// and the secret it returned.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, k := range append(kinds, stream) {
		for _, f := range sandbox.Faults() {
			if f == sandbox.Hang {
				continue // TestUnansweredRequests
			}
			t.Run(k.name+"/"+string(f), func(t *testing.T) {
				t.Parallel()
				s := k.run(t, testKey)
				set(t, s, f)
				begin := time.Now()
				got := k.ask(t, newClient(t), s)
				if took := time.Since(begin); f == sandbox.Slow && took < slowForTests {
					t.Errorf("answered after %s", took)
				}
				k.look(f)(t, k, got)
				wantRecorded(t, k, s, got, f != sandbox.Refuse)
			})
		}
	}
}

// wantRecorded compares the server's record with what the client saw.
func wantRecorded(t *testing.T, k kind, s *sandbox.Server, got seen, arrived bool) {
	t.Helper()
	if calls := s.Calls(); (calls == 1) != arrived || len(s.Requests()) != calls {
		t.Errorf("calls %d, requests %d", calls, len(s.Requests()))
	}
	answer, err := got.decode()
	if err != nil {
		return // no whole session reached the client
	}
	var want []string
	if secret := text(answer[k.secret]); secret != "" {
		want = []string{secret}
	}
	if issued := s.Issued(); !slices.Equal(issued, want) {
		t.Errorf("issued %.80q, client got %.80q", issued, want)
	}
}

// Faults of a session do not change a refusal: there is no session.
func TestSessionFaultsOfARefusedRequest(t *testing.T) {
	for _, k := range kinds {
		s := k.run(t, "another key")
		for _, f := range []sandbox.Fault{sandbox.Cut, sandbox.Huge, sandbox.Expired, sandbox.Slow} {
			set(t, s, f)
			got := k.ask(t, newClient(t), s)
			wantStatus(401, "")(t, k, got)
			if n := len(s.Issued()); n != 0 {
				t.Errorf("%s, %s: %d secrets issued to a stranger", k.name, f, n)
			}
		}
	}
}

func wantSession(t *testing.T, k kind, got seen) {
	t.Helper()
	wantSecret(func(v any) bool { s, _ := v.(string); return s != "" })(t, k, got)
	o := got.object(t)
	wantEnd(t, o["expires_at"], k.lifetime)
	if len(o) != k.fields {
		t.Errorf("%d fields, want %d: %s", len(o), k.fields, got.body)
	}
}

func wantSecret(ok func(any) bool) look {
	return func(t *testing.T, k kind, got seen) {
		t.Helper()
		wantBody("application/json", func(string) bool { return true })(t, k, got)
		if secret := got.object(t)[k.secret]; !ok(secret) {
			t.Errorf("secret %.80q (%T)", secret, secret)
		}
	}
}

func wantBody(contentType string, ok func(string) bool) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.err != nil || got.bodyErr != nil || got.status != 200 || got.chunked {
			t.Fatalf("status %d, chunked %v (%v, %v), want 200", got.status, got.chunked, got.err, got.bodyErr)
		}
		if ct := got.header.Get("Content-Type"); ct != contentType || !ok(got.body) {
			t.Errorf("content type %q, body %.200q", ct, got.body)
		}
	}
}

func wantError(ok func(error) bool) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.err == nil || !ok(got.err) {
			t.Errorf("error %v, status %d", got.err, got.status)
		}
	}
}

func wantCut(chunked bool) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.status != 200 || got.chunked != chunked || !errors.Is(got.bodyErr, io.ErrUnexpectedEOF) || got.body == "" {
			t.Errorf("status %d, chunked %v, body %q (%v, %v), want half a body and an unexpected end",
				got.status, got.chunked, got.body, got.err, got.bodyErr)
		}
	}
}

// wantOverloaded checks for the plain text of a load balancer.
func wantOverloaded(chunked bool, retryAfter string) look {
	return func(t *testing.T, _ kind, got seen) {
		t.Helper()
		if got.status != 503 || got.chunked != chunked || got.bodyErr != nil ||
			got.body != "no healthy upstream: overloaded\n" || got.header.Get("Retry-After") != retryAfter {
			t.Errorf("got %d %v %q, chunked %v (%v)", got.status, got.header, got.body, got.chunked, got.bodyErr)
		}
	}
}

// sendbirdCodes are the status and the code that Sendbird uses for a status.
var sendbirdCodes = map[int][2]int{
	400: {400, 400111}, 401: {400, 400401}, 403: {400, 400300}, 404: {400, 400304},
	409: {400, 400202}, 422: {400, 400105}, 429: {429, 500910}, 500: {500, 500901},
}

// wantStatus checks for an error of the service, and its headers.
func wantStatus(status int, retryAfter string) look {
	return func(t *testing.T, k kind, got seen) {
		t.Helper()
		want, header := status, map[string]string{"Retry-After": retryAfter, "Allow": "", "Location": ""}
		switch {
		case status == 405:
			header["Allow"] = "GET"
		case status == 301: // to a host that can never resolve
			header["Location"] = "http://elsewhere.invalid/login"
		case k.name == "sendbird" && retryAfter != "":
			header["Retry-After"], header["X-Ratelimit-Retryafter"] = "", "0.4697"
		}
		if c, ok := sendbirdCodes[status]; ok && k.name == "sendbird" {
			want = c[0]
			if code := text(got.object(t)["code"]); code != strconv.Itoa(c[1]) {
				t.Errorf("code %s, want %d", code, c[1])
			}
		}
		if got.status != want || got.bodyErr != nil {
			t.Fatalf("status %d (%v, %v), want %d", got.status, got.err, got.bodyErr, want)
		}
		for name, value := range header {
			if got.header.Get(name) != value {
				t.Errorf("%s %q, want %q", name, got.header.Get(name), value)
			}
		}
		wantProblem(t, k, got)
	}
}

// wantProblem checks that an error body has the format of its service.
func wantProblem(t *testing.T, k kind, got seen) {
	t.Helper()
	parts := []string{`{"detail":`}
	switch k.name {
	case "openai":
		parts = []string{`{"error":{"code":`, `"message":"`, `"param":`, `"type":"`}
	case "sendbird":
		parts = []string{`{"message":"`, `"error":true}`}
	}
	for _, part := range parts {
		if !strings.Contains(got.body, part) {
			t.Errorf("no %s in %s", part, got.body)
		}
	}
	if id := got.header.Get("X-Request-Id"); strings.HasPrefix(id, "req_") != (k.name == "openai") {
		t.Errorf("request ID %q", id)
	}
}
