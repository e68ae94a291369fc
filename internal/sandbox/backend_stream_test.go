package sandbox_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

const (
	streamPath = "/api/chat/stream"
	streamBody = `{"message":"hällo"}`
	streamType = "text/event-stream"
)

// askStream sends a valid message, or another body.
func askStream(t *testing.T, s *sandbox.Server, bearer, body string) seen {
	t.Helper()
	return do(newClient(t), streamRequest(t, s, bearer, body))
}

func streamRequest(t *testing.T, s *sandbox.Server, bearer, body string) *http.Request {
	t.Helper()
	r := newRequest(t.Context(), t, s.URL()+streamPath, body)
	r.Header.Set("Authorization", "Bearer "+bearer)
	return r
}

// replyText joins the deltas; done reports whether the end came last.
func replyText(t *testing.T, body string) (text string, done bool) {
	t.Helper()
	for frame := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		data, isData := strings.CutPrefix(frame, "data: ")
		var event struct{ Type, Delta string }
		if !isData || done || json.Unmarshal([]byte(data), &event) != nil {
			t.Fatalf("frame %q in %q", frame, body)
		}
		text, done = text+event.Delta, event.Type == "done"
	}
	return text, done
}

func TestStream(t *testing.T) {
	s := kinds[0].run(t, sandbox.Options{Key: testKey})
	session := text(kinds[0].ask(t, newClient(t), s).object(t)["session_id"])
	for name, bearer := range map[string]string{"key": testKey, "session": session} {
		t.Run(name, func(t *testing.T) {
			got := askStream(t, s, bearer, streamBody)
			if got.status != 200 || got.header.Get("Content-Type") != streamType || !got.chunked || got.bodyErr != nil {
				t.Fatalf("got %d %q (%v, %v)", got.status, got.header, got.err, got.bodyErr)
			}
			if said, done := replyText(t, got.body); !strings.HasPrefix(said, "You said: “hällo”. ") || !done {
				t.Errorf("said %q, done %v", said, done)
			}
		})
	}
	if got := s.Calls(); got != 3 {
		t.Errorf("calls %d, want a session and two streams", got)
	}
}

func TestStreamRequests(t *testing.T) {
	s := kinds[0].run(t, sandbox.Options{Key: testKey})
	long := strings.Repeat("é", 1000)
	for _, tc := range []struct {
		name, bearer, body string
		status             int
		want               string // part of the answer
	}{
		{"stranger", "session-of-nobody", streamBody, 401, `"detail"`},
		{"not JSON", testKey, `hi`, 422, `"json_invalid"`},
		{"not an object", testKey, `[]`, 422, `"model_attributes_type"`},
		{"no message", testKey, `{}`, 422, `"loc":["body","message"]`},
		{"a number", testKey, `{"message":5}`, 422, `"string_type"`},
		{"null", testKey, `{"message":null}`, 422, `"string_type"`},
		{"long", testKey, `{"message":"` + long + `"}`, 200, strings.Repeat("é", 100) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := askStream(t, s, tc.bearer, tc.body); got.status != tc.status || !strings.Contains(got.body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", got.status, got.body, tc.status, tc.want)
			}
		})
	}
}

// Without a key, every request is answered.
func TestStreamWithoutKey(t *testing.T) {
	s := kinds[0].run(t, sandbox.Options{})
	if got := askStream(t, s, "", streamBody); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// All faults apply to streams, except those of a session.
func TestStreamFaults(t *testing.T) {
	t.Parallel() // a whole reply takes a second
	harmless := []sandbox.Fault{
		sandbox.None, sandbox.Slow, sandbox.EmptySecret, sandbox.Numeric, sandbox.Expired,
		sandbox.ControlChars, sandbox.LongSecret, sandbox.Huge,
	}
	whole := func(t *testing.T, k kind, got seen) {
		t.Helper()
		if _, done := replyText(t, got.body); !done || got.status != 200 {
			t.Errorf("%s: got %d %s", k.name, got.status, got.body)
		}
	}
	for _, f := range sandbox.Faults() {
		check := looks[f]
		if slices.Contains(harmless, f) {
			check = whole
		}
		if f == sandbox.Hang {
			continue // TestHang
		}
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			s := kinds[0].run(t, sandbox.Options{})
			set(t, s, f)
			check(t, kinds[0], askStream(t, s, testKey, streamBody))
		})
	}
}

// A reply comes word by word, and closing the server cuts it.
func TestStreamIsCut(t *testing.T) {
	for name, end := range map[string]func(*sandbox.Server) error{
		"refused": func(s *sandbox.Server) error { return s.Set(sandbox.Refuse) },
		"closed":  (*sandbox.Server).Close,
	} {
		t.Run(name, func(t *testing.T) {
			s := kinds[0].run(t, sandbox.Options{})
			resp, err := newClient(t).Do(streamRequest(t, s, testKey, streamBody))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			first, err := lines.ReadBytes('\n')
			if err != nil || !bytes.Contains(first, []byte(`"delta":"You "`)) {
				t.Fatalf("first event %q (%v)", first, err)
			}
			if err := end(s); err != nil {
				t.Fatal(err)
			}
			for err == nil {
				var line []byte
				if line, err = lines.ReadBytes('\n'); bytes.Contains(line, []byte(`"done"`)) {
					t.Fatal("the reply came to its end")
				}
			}
		})
	}
}
