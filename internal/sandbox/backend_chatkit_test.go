package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

const chatKitPath = "/chatkit"

// message returns a request of ChatKit's protocol with a message.
func message(kind, thread, text string) string {
	return `{"type":"` + kind + `","params":{"thread_id":"` + thread + `","input":{"content":[{"type":"input_text","text":"` + text + `"}],"attachments":[],"inference_options":{}}}}`
}

// runChat starts a backend with a pause between the frames of its turns.
func runChat(t *testing.T, pause time.Duration) *sandbox.Server {
	t.Helper()
	s, err := sandbox.NewBackend(sandbox.Options{Key: testKey, TurnPause: pause})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// lastTurn is the latest one.
func lastTurn(t *testing.T, s *sandbox.Server) sandbox.Turn {
	t.Helper()
	all := s.Turns()
	if len(all) == 0 {
		t.Fatal("there was no turn")
	}
	return all[len(all)-1]
}

// types are the types of the frames.
func types(t *testing.T, body string) (all []string) {
	t.Helper()
	for frame := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		var event struct{ Type string }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(frame, "data: ")), &event); err != nil {
			t.Fatalf("%q: %v", frame, err)
		}
		if len(all) == 0 || all[len(all)-1] != event.Type {
			all = append(all, event.Type)
		}
	}
	return all
}

// A turn creates a thread, the next one goes on with it, and both are stored. No key
// is asked for.
func TestChatKitTurns(t *testing.T) {
	s, c := runChat(t, time.Microsecond), newClient(t)
	post := func(body string) seen {
		return do(c, newRequest(t, s.URL()+chatKitPath, body, "Authorization: "))
	}
	created := post(message("threads.create", "", "hällo"))
	if got := strings.Join(types(t, created.body), " "); created.status != 200 || created.header.Get("Content-Type") != "text/event-stream" ||
		got != "thread.created thread.item.done stream_options thread.item.added thread.item.updated thread.item.done" {
		t.Errorf("got %d %v: %s", created.status, created.header, got)
	}
	first := lastTurn(t, s)
	if first.Number != 1 || first.State != "whole" || !strings.HasPrefix(first.Answer, "You said: “hällo”. ") || first.Hidden != "" {
		t.Errorf("stored %+v", first)
	}
	again := post(message("threads.add_user_message", first.Thread, "more"))
	if got := strings.Join(types(t, again.body), " "); got != "thread.item.done stream_options thread.item.added thread.item.updated thread.item.done" {
		t.Errorf("the next turn is %s", got)
	}
	thread := post(`{"type":"threads.get_by_id","params":{"thread_id":"` + first.Thread + `"}}`)
	if got := strings.Count(thread.body, `"type":"assistant_message"`); thread.status != 200 || got != 2 || !strings.Contains(thread.body, `“more”`) {
		t.Errorf("the thread is %d %s", thread.status, thread.body)
	}
	if list := post(`{"type":"threads.list","params":{}}`); !strings.HasPrefix(list.body, `{"data":[{"id":"`+first.Thread+`"`) || !strings.HasSuffix(list.body, `}],"has_more":false}`) {
		t.Errorf("the list is %s", list.body)
	}
	if got := lastTurn(t, s); got.Number != 2 || got.Thread != first.Thread || s.Calls() != 4 {
		t.Errorf("after the second: %+v, %d calls", got, s.Calls())
	}
}

// What is no message of the protocol's gets what OpenAI's server answers: an unknown
// thread is an empty stream.
func TestChatKitRefuses(t *testing.T) {
	s, c := runChat(t, time.Microsecond), newClient(t)
	for _, tt := range []struct {
		name, body string
		status     int
	}{
		{"no JSON", `{`, 422},
		{"no object", `[]`, 422},
		{"no input", `{"type":"threads.create","params":{}}`, 422},
		{"no attachments", `{"type":"threads.create","params":{"input":{"content":[],"inference_options":{}}}}`, 422},
		{"unknown thread", message("threads.add_user_message", "thr_none", "x"), 200},
		{"unknown thread, JSON", `{"type":"threads.get_by_id","params":{"thread_id":"thr_none"}}`, 404},
		{"what it does not speak", `{"type":"items.feedback","params":{}}`, 501},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := do(c, newRequest(t, s.URL()+chatKitPath, tt.body))
			if got.status != tt.status || tt.status == 200 && (got.body != "" || got.bodyErr != nil) {
				t.Errorf("got %d %q, want %d", got.status, got.body, tt.status)
			}
		})
	}
	if got := s.Turns(); len(got) != 0 {
		t.Errorf("stored %+v", got)
	}
}

// A lost connection is taken for the user's wish: half the answer is stored, and what
// the model obeys in the next turn. Clients see the half only.
func TestChatKitLostConnection(t *testing.T) {
	s, c := runChat(t, 10*time.Millisecond), newClient(t)
	ctx, lose := context.WithCancel(t.Context())
	r := newRequest(t, s.URL()+chatKitPath, message("threads.create", "", "x")).WithContext(ctx)
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, `"delta":"answer "`) {
			break
		}
	}
	if got := lastTurn(t, s); got.State != "writing" {
		t.Errorf("before: %+v", got)
	}
	lose()
	for end := time.Now().Add(5 * time.Second); lastTurn(t, s).State == "writing" && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	got := lastTurn(t, s)
	if got.State != "cancelled" || !strings.HasPrefix(got.Answer, "You said: “x”. This answer ") || strings.Contains(got.Answer, "half of it.") ||
		got.Hidden != "The user cancelled the stream. Stop responding to the prior request." {
		t.Errorf("stored %+v", got)
	}
	thread := do(c, newRequest(t, s.URL()+chatKitPath, `{"type":"threads.get_by_id","params":{"thread_id":"`+got.Thread+`"}}`))
	if !strings.Contains(thread.body, "You said: “x”. This answer ") || strings.Contains(thread.body, "cancelled the stream") {
		t.Errorf("the thread is %d %s", thread.status, thread.body)
	}
}

// The faults are those of every path. A cut turn is a crash: nothing is stored.
func TestChatKitFaults(t *testing.T) {
	s, c := runChat(t, time.Microsecond), newClient(t)
	for fault, want := range map[sandbox.Fault]int{sandbox.Status500: 500, sandbox.CutChunked: 200, sandbox.HTML: 200} {
		set(t, s, fault)
		got := do(c, newRequest(t, s.URL()+chatKitPath, message("threads.create", "", "x")))
		if got.status != want || (got.bodyErr != nil) != (fault == sandbox.CutChunked) {
			t.Errorf("%s: got %d %v", fault, got.status, got.bodyErr)
		}
	}
	if got := s.Turns(); len(got) != 0 || s.Calls() != 3 {
		t.Errorf("stored %+v after %d calls", got, s.Calls())
	}
	if got := openAI.run(t, testKey).Turns(); got != nil {
		t.Errorf("OpenAI has %+v", got)
	}
}
