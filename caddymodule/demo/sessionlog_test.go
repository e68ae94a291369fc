package demo

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestReadableLine(t *testing.T) {
	at := time.Date(2026, 11, 20, 15, 4, 5, 678_000_000, time.Local)
	tests := []struct{ name, fields, want string }{
		{"first provider", `"status":200,"chatkit_provider":"backend","chatkit_reason":""`, "200  served by backend  (1.23ms)"},
		{"fallback", `"status":200,"chatkit_provider":"openai","chatkit_reason":"dial"`,
			"200  served by openai, the first provider failed: dial  (1.23ms)"},
		{"not asked", `"status":200,"chatkit_provider":"openai","chatkit_reason":"open"`,
			"200  served by openai, the first provider was not asked: open  (1.23ms)"},
		{"nobody asked", `"status":503,"chatkit_provider":"none","chatkit_reason":"forced_open"`,
			"503  not served, the first provider was not asked: forced_open  (1.23ms)"},
		{"rejected", `"status":403,"chatkit_provider":"backend","chatkit_reason":"rejected"`, "403  backend refused this user  (1.23ms)"},
		{"nobody", `"status":502,"chatkit_provider":"none","chatkit_reason":"timeout"`,
			"502  not served, the first provider failed: timeout  (1.23ms)"},
		{"turn that nobody answers", `"status":200,"chatkit_provider":"none","chatkit_reason":"dial"`,
			"200  not served, the first provider failed: dial  (1.23ms)"},
		{"refused by us", `"status":405,"chatkit_provider":"none","chatkit_reason":""`,
			"405  refused before any provider was asked  (1.23ms)"},
		{"not a session", `"status":200`, ""},
		{"not JSON", `"status"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := fmt.Sprintf(`{"ts":%.3f,"duration":0.001234,"request":{"uri":"/x"},%s}`, float64(at.UnixMilli())/1e3, tt.fields)
			e, ok := parseEntry([]byte(line))
			if tt.want == "" {
				if ok {
					t.Errorf("got a line: %s", e.line())
				}
				return
			}
			got := e.line()
			// The last digit of a float64 of seconds may be off by one.
			if !strings.HasPrefix(got, "15:04:05.67") || !strings.HasSuffix(got, "  /x  "+tt.want) {
				t.Errorf("got %q, want it to end in %q", got, tt.want)
			}
		})
	}
}

// What was sent before the end is printed, and nothing is left running.
func TestSessionLogClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var out strings.Builder
	l, err := newSessionLog(&out)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // the sender never hangs up before
	for accepted := 0; accepted == 0; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		accepted = len(l.conns)
		l.mu.Unlock()
	}
	const lines = 500
	for range lines {
		if _, err := fmt.Fprintln(conn, `{"ts":1,"status":200,"chatkit_provider":"backend"}`); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := strings.Count(out.String(), "served by backend"); got != lines {
		t.Errorf("printed %d lines, want %d", got, lines)
	}
}
