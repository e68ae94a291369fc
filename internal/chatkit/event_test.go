package chatkit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// The events are those of OpenAI's own server.
func TestEvents(t *testing.T) {
	var all strings.Builder
	for _, x := range exchanges(t) {
		all.WriteString(x.stream)
	}
	for _, frame := range [][]byte{
		chatkit.ErrorEvent{Code: chatkit.StreamError, AllowRetry: true}.Frame(),
		chatkit.ErrorEvent{Message: "Sorry.", AllowRetry: true}.Frame(),
		chatkit.NoticeEvent{Level: chatkit.Warning, Message: "Limited mode.", Title: "Outage"}.Frame(),
	} {
		if !strings.Contains(all.String(), "\n"+string(frame)) {
			t.Errorf("OpenAI's server sends no %s", frame)
		}
	}
	got := string(chatkit.ErrorEvent{Code: chatkit.CustomError, Message: "a\nb\"\xff"}.Frame())
	if want := `data: {"type":"error","code":"custom","message":"a\nb\"` + `\ufffd","allow_retry":false}` + "\n\n"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestIDsAndTimes(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		id := chatkit.NewID("thr_")
		if !strings.HasPrefix(id, "thr_") || len(id) < 4+26 || strings.ToLower(id) != id || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
	at := time.Date(2026, 12, 1, 1, 2, 3, 4000, time.FixedZone("", 3600))
	if got := chatkit.Time(at); got != "2026-12-01T00:02:03.000004Z" {
		t.Errorf("time %s", got)
	}
}
