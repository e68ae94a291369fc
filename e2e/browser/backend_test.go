package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// chatBackend is a backend for all that the front end does. Its streams wait
// before every event but the first until the test lets it out, if it has steps.
type chatBackend struct {
	*testsite.Taker

	steps chan struct{}
	gone  chan time.Time  // when the client of a stream had left
	whole chan struct{}   // a stream has come to its end
	over  <-chan struct{} // the test is, whoever still waits
}

// newChatBackend starts one.
func newChatBackend(t *testing.T, steps chan struct{}) *chatBackend {
	t.Helper()
	b := &chatBackend{steps: steps, gone: make(chan time.Time, 8), whole: make(chan struct{}, 8), over: t.Context().Done()}
	b.Taker = testsite.NewTaker(t, b.serve)
	return b
}

// newChatBackendAt starts one at an address that nobody listened on so far.
func newChatBackendAt(t *testing.T, addr string) *chatBackend {
	t.Helper()
	b := &chatBackend{Taker: new(testsite.Taker), over: t.Context().Done()}
	b.Then = b.serve
	testsite.OwnBackendAt(t, addr, b)
	return b
}

// chatEvents are the events of a reply, as JSON.stringify writes them.
var chatEvents = []string{
	`{"type":"thread.created","thread":{"id":"thr_1","created_at":"2026-01-02T03:04:05Z","status":{"type":"active"},"metadata":{}}}`,
	`{"type":"thread.item.done","item":{"id":"msg_1","thread_id":"thr_1","type":"user_message","content":[{"type":"input_text","text":"Hi"}]}}`,
	`{"type":"thread.item.added","item":{"id":"msg_2","thread_id":"thr_1","type":"assistant_message","content":[]}}`,
	`{"type":"thread.item.updated","item_id":"msg_2","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Grüße "}}`,
	`{"type":"thread.item.updated","item_id":"msg_2","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"vom "}}`,
	`{"type":"thread.item.updated","item_id":"msg_2","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"zweiten 🎉"}}`,
	`{"type":"thread.item.done","item":{"id":"msg_2","thread_id":"thr_1","type":"assistant_message","content":[{"type":"output_text","text":"` + chatText + `","annotations":[]}]}}`,
}

// chatText is the text of the reply.
const chatText = "Grüße vom zweiten 🎉"

func (b *chatBackend) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/api/sessions":
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"session_id":"session-of-the-second","expires_at":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case strings.HasPrefix(r.URL.Path, "/ws/chat/"):
		websocket.Server{Handler: echo}.ServeHTTP(w, r) // no check of the origin, which the product takes off
	case r.URL.Path == "/chatkit" && strings.Contains(b.bodyOf(r), `"type":"threads.list"`):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"id":"thr_1"}],"has_more":false}`)
	case r.URL.Path == "/chatkit" && strings.Contains(b.bodyOf(r), `"type":"threads.get_by_id"`):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"thr_1","items":{"data":[],"has_more":false}}`)
	default:
		b.stream(w, r)
	}
}

// bodyOf is the body of a request that was taken.
func (b *chatBackend) bodyOf(r *http.Request) string {
	all := b.Received()
	return all[slices.IndexFunc(all, func(got testsite.Received) bool { return got.Request == r })].Text
}

// stream sends the events, each in two pieces: the cut goes through a letter of
// more than one byte where there is one.
func (b *chatBackend) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i, event := range chatEvents {
		if i > 0 && b.steps != nil {
			select {
			case <-b.steps:
			case <-r.Context().Done():
				b.gone <- time.Now()
				return
			case <-b.over:
				return
			}
		}
		frame := "data: " + event + "\n\n"
		cut := strings.IndexFunc(frame, func(c rune) bool { return c >= 0x80 }) + 1
		for _, piece := range []string{frame[:cut], frame[cut:]} {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	}
	select {
	case b.whole <- struct{}{}:
	default: // nobody asks
	}
}

// paths are those of the requests it got.
func (b *chatBackend) paths() (paths []string) {
	for _, r := range b.Received() {
		paths = append(paths, r.URL.Path)
	}
	return paths
}

// checkPaths compares them.
func (b *chatBackend) checkPaths(t *testing.T, want ...string) {
	t.Helper()
	if got := b.paths(); !slices.Equal(got, want) {
		t.Errorf("the second backend was asked for %q, want %q", got, want)
	}
}

// echo sends every message back, and closes when the client does.
func echo(ws *websocket.Conn) {
	defer ws.Close() // by a frame
	for text := ""; websocket.Message.Receive(ws, &text) == nil; {
		_ = websocket.Message.Send(ws, text)
	}
}
