package chatkit_test

import (
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit/chatkittest"
)

// checkInput writes a turn with what a user wrote.
func checkInput(t *testing.T, in *chatkit.Input) {
	t.Helper()
	item := chatkit.NewUserMessage(chatkit.NewID("msg_"), "t", time.Now(), in)
	frame := chatkit.ItemDone(item)
	if err := chatkittest.Event(chatkit.Data(frame)); err != nil {
		t.Errorf("%v: %s", err, frame)
	}
}

// Whatever is said, and in whatever pieces: what our writers make of it fits the
// schema.
func FuzzTurn(f *testing.F) {
	f.Add("Hello", 2, "Outage", "", true)
	f.Add("a\nb\r\n\u2028<>&\"\\\x00", 1, "", "m", false)
	f.Fuzz(func(t *testing.T, text string, size int, title, message string, created bool) {
		runes := []rune(text)
		text = string(runes) // valid UTF-8
		thread, msg, now := chatkit.NewID("thr_si_"), chatkit.NewID("msg_"), time.Now()
		var b []byte
		if created {
			b = append(b, chatkit.ThreadCreated(chatkit.NewThread(thread, now))...)
		}
		b = append(b, chatkit.StreamOptions(created)...)
		b = append(b, chatkit.NoticeEvent{Level: chatkit.Warning, Message: message, Title: title}.Frame()...)
		if text == "" {
			b = append(b, chatkit.ErrorEvent{Message: message, AllowRetry: created}.Frame()...)
		} else {
			b = append(b, chatkit.ItemAdded(chatkit.NewAssistantMessage(msg, thread, now, ""))...)
			b = append(b, chatkit.PartAdded(msg)...)
			size = max(size%7, 1)
			for ; len(runes) > 0; runes = runes[min(size, len(runes)):] {
				b = append(b, chatkit.TextDelta(msg, string(runes[:min(size, len(runes))]))...)
			}
			b = append(b, chatkit.PartDone(msg, text)...)
			b = append(b, chatkit.ItemDone(chatkit.NewAssistantMessage(msg, thread, now, text))...)
		}
		if err := chatkittest.Turn(b); err != nil {
			t.Errorf("%v:\n%s", err, b)
		}
	})
}
