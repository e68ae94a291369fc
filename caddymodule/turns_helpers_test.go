package caddymodule_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The frames of a turn, as OpenAI's server sends them.
const (
	threadFrame  = `data: {"type":"thread.created","thread":{"id":"thr_1","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}}` + "\n\n"
	userFrame    = `data: {"type":"thread.item.done","item":{"id":"msg_u","thread_id":"thr_1","type":"user_message","content":[]}}` + "\n\n"
	optionsFrame = `data: {"type":"stream_options","stream_options":{"allow_cancel":true}}` + "\n\n"
	addedFrame   = `data: {"type":"thread.item.added","item":{"id":"msg_a","thread_id":"thr_1","type":"assistant_message","content":[]}}` + "\n\n"
	deltaFrame   = `data: {"type":"thread.item.updated","item_id":"msg_a","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Hello"}}` + "\n\n"
	doneFrame    = `data: {"type":"thread.item.done","item":{"id":"msg_a","thread_id":"thr_1","type":"assistant_message","content":[]}}` + "\n\n"

	lead       = threadFrame + userFrame + optionsFrame
	wholeTurn  = lead + addedFrame + deltaFrame + doneFrame
	retryEvent = `data: {"type":"error","code":"stream.error","allow_retry":true}` + "\n\n"
	noThread   = `data: {"type":"error","code":"custom","message":"This conversation could not be found.","allow_retry":false}` + "\n\n"

	createBody = `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}}`
	addBody    = `{"type":"threads.add_user_message","params":{"thread_id":"thr_1","input":{"content":[],"attachments":[],"inference_options":{}}}}`

	frameOne, frameTwo = "Chatkit-Frame-Instance-Id: f1", "Chatkit-Frame-Instance-Id: f2"
)

// tenFrames is a turn of ten frames.
func tenFrames() []string {
	return []string{threadFrame, userFrame, optionsFrame, addedFrame, deltaFrame, deltaFrame, deltaFrame, deltaFrame, deltaFrame, doneFrame}
}

// tells answers with an event stream.
func tells(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { begin(w, text) }
}

// begin sends the beginning of an event stream.
func begin(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

// chat is a backend as OpenAI's server is one: it stores what it has sent, and that
// the user has canceled when the connection is lost.
type chat struct {
	URL  string
	next chan struct{} // one for each frame but the first; closed for all of them

	mu     sync.Mutex
	stored []string // of each turn
	ended  chan string
}

// newChat starts one that sends the frames of its turns one by one.
func newChat(t *testing.T, frames []string) *chat {
	t.Helper()
	c := &chat{next: make(chan struct{}), ended: make(chan string, 100)}
	over := make(chan struct{})
	c.URL = testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		c.mu.Lock()
		turn := len(c.stored)
		c.stored = append(c.stored, "")
		c.mu.Unlock()
		for i, frame := range frames {
			if i > 0 {
				select {
				case <-c.next:
				case <-r.Context().Done():
					c.ended <- "canceled"
					return
				case <-over:
					return
				}
			}
			begin(w, frame)
			c.store(turn, frame)
		}
		c.ended <- "stored"
	})
	t.Cleanup(func() { close(over) })
	return c
}

func (c *chat) store(turn int, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored[turn] += text
}

// has returns what is stored.
func (c *chat) has() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.stored...)
}

// reading is a client that reads a turn.
type reading struct {
	*testing.T
	*http.Response
	lines *bufio.Reader
	leave context.CancelFunc
}

// turn sends a request and returns as soon as its answer begins.
func (s *site) turn(client *http.Client, headers ...string) *reading {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), 30*time.Second)
	r, err := testsite.Request(ctx, http.MethodPost, s.URL+"/chatkit", createBody, headers...)
	if err != nil {
		s.T.Fatal(err)
	}
	resp, err := client.Do(r) //nolint:bodyclose // the end of the test closes it
	if err != nil {
		s.T.Fatal(err)
	}
	s.AwaitItsLog(resp)
	c := &reading{s.T, resp, bufio.NewReader(resp.Body), cancel}
	s.T.Cleanup(c.lose)
	return c
}

// frame reads a frame.
func (c *reading) frame() string {
	c.Helper()
	var frame strings.Builder
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			c.Fatalf("got %q and %v", frame.String()+line, err)
		}
		frame.WriteString(line)
		if line == "\n" {
			return frame.String()
		}
	}
}

// rest reads what is left.
func (c *reading) rest() string {
	c.Helper()
	b, err := io.ReadAll(c.lines)
	if err != nil {
		c.Errorf("got %q and %v", b, err)
	}
	return string(b)
}

// lose ends the request.
func (c *reading) lose() {
	c.leave()
	_ = c.Body.Close()
}

// end is the series of an end.
func end(e string) string { return `turns_total{end="` + e + `"}` }
