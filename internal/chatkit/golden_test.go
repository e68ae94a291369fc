package chatkit_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit/chatkittest"
)

const goldenThread = "thr_7e012438"

// varying is what differs between two runs of the same turn. OpenAI's server writes
// times without a zone.
var varying = regexp.MustCompile(`msg_[0-9a-z]+|"[0-9T:.-]{26}Z?"`)

func stable(s string) string { return varying.ReplaceAllString(s, "•") }

// ours writes the stream that the golden server has written for a request.
func ours(t *testing.T, c *chatkit.Call) string {
	t.Helper()
	now := time.Now()
	var b []byte
	if c.Type == chatkit.ThreadsCreate {
		b = append(b, chatkit.ThreadCreated(chatkit.NewThread(goldenThread, now))...)
	}
	if c.Input != nil {
		b = append(b, chatkit.ItemDone(chatkit.NewUserMessage("msg_u", goldenThread, now, c.Input))...)
	}
	b = append(b, chatkit.StreamOptions(true)...)
	text := ""
	if c.Input != nil {
		text = c.Input.Text()
	}
	switch text {
	case "boom":
		return string(append(b, chatkit.ErrorEvent{Code: chatkit.StreamError, AllowRetry: true}.Frame()...))
	case "custom":
		return string(append(b, chatkit.ErrorEvent{Message: "Sorry.", AllowRetry: true}.Frame()...))
	case "notice":
		b = append(b, chatkit.NoticeEvent{Level: chatkit.Warning, Message: "Limited mode.", Title: "Outage"}.Frame()...)
		b = append(b, "data: {\"type\":\"progress_update\",\"text\":\"Thinking\"}\n\n"...) // not one of ours
	}
	b = append(b, chatkit.ItemAdded(chatkit.NewAssistantMessage("msg_a", goldenThread, now, ""))...)
	if text == "title" {
		thread := chatkit.NewThread(goldenThread, now)
		thread.Title = "T"
		b = append(b, chatkit.ThreadUpdated(thread)...)
	}
	b = append(b, chatkit.PartAdded("msg_a")...)
	b = append(b, chatkit.TextDelta("msg_a", "Hello")...)
	b = append(b, chatkit.PartDone("msg_a", "Hello")...)
	return string(append(b, chatkit.ItemDone(chatkit.NewAssistantMessage("msg_a", goldenThread, now, "Hello"))...))
}

// Every stream of OpenAI's own server comes out of our writers byte for byte, but for
// ids and times.
func TestGoldenStreams(t *testing.T) {
	streams := 0
	for _, x := range exchanges(t) {
		c, err := chatkit.ParseCall([]byte(x.request))
		if x.kind != "stream" || err != nil {
			continue
		}
		streams++
		if got, want := stable(ours(t, c)), stable(x.stream); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", x.request, got, want)
		}
	}
	if streams != 6 {
		t.Errorf("%d streams", streams)
	}
}

// So do its JSON answers.
func TestGoldenAnswers(t *testing.T) {
	now := time.Now()
	user := func(text string, quoted *string) chatkit.Item {
		in := &chatkit.Input{Content: []chatkit.InputPart{{Type: "input_text", Text: text}}, QuotedText: quoted}
		return chatkit.NewUserMessage("msg_u", goldenThread, now, in)
	}
	answer := chatkit.NewAssistantMessage("msg_a", goldenThread, now, "Hello")
	thread := chatkit.NewThread(goldenThread, now)
	thread.Title = "T"
	whole, renamed := thread, thread
	whole.Items.Data = []chatkit.Item{answer, answer, answer, user("Hi", nil), user("title", new(string)), user("notice", nil), user("boom", nil), user("custom", nil)}
	renamed.Title = "New"
	rows := []chatkit.Item{user("boom", nil), user("custom", nil)}
	rows = append([]chatkit.Item{answer}, rows...)
	ours := map[chatkit.Operation]any{
		chatkit.ThreadsGetByID: whole, chatkit.ThreadsUpdate: renamed, chatkit.ThreadsDelete: struct{}{}, chatkit.ItemsFeedback: struct{}{},
		chatkit.ThreadsList: chatkit.PageOf([]chatkit.Thread{thread}, chatkit.PageRequest{Limit: 9999}, func(t chatkit.Thread) string { return t.ID }),
		chatkit.ItemsList:   chatkit.PageOf(rows, chatkit.PageRequest{Limit: 2}, chatkit.ItemID),
	}
	seen := 0
	for _, x := range exchanges(t) {
		if x.kind != "json" {
			continue
		}
		seen++
		c, err := chatkit.ParseCall([]byte(x.request))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(ours[c.Type])
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimSpace(x.stream)
		if g, w := stable(string(got)), stable(want); g != w {
			t.Errorf("%s:\ngot  %s\nwant %s", c.Type, g, w)
		}
		if err := chatkittest.Answer(c.Type, got); err != nil {
			t.Errorf("%s: %v", c.Type, err)
		}
	}
	if seen != len(ours) {
		t.Errorf("%d answers", seen)
	}
}

// What the schema refuses: other fields, another order, null, naive times.
func TestSchemaRefuses(t *testing.T) {
	for name, event := range map[string]string{
		"unknown type":  `{"type":"ping"}`,
		"unknown code":  `{"type":"error","code":"made_up","allow_retry":true}`,
		"unknown field": `{"type":"notice","level":"info","message":"m","extra":1}`,
		"other order":   `{"type":"notice","message":"m","level":"info"}`,
		"null":          `{"type":"notice","level":"info","message":"m","title":null}`,
		"missing":       `{"type":"stream_options","stream_options":{}}`,
		"naive time":    `{"type":"thread.item.added","item":{"id":"msg_a","thread_id":"t","created_at":"2026-11-21T09:00:00.123456","type":"assistant_message","content":[]}}`,
		"null list":     `{"type":"thread.item.added","item":{"id":"msg_a","thread_id":"t","created_at":"2026-11-21T09:00:00.123456Z","type":"assistant_message","content":null}}`,
		"level":         `{"type":"notice","level":"loud","message":"m"}`,
	} {
		if chatkittest.Event([]byte(event)) == nil {
			t.Errorf("%s: %s passes", name, event)
		}
	}
	if err := chatkittest.Event([]byte(`{"type":"notice","level":"info","message":"m","title":"t"}`)); err != nil {
		t.Error(err)
	}
}
