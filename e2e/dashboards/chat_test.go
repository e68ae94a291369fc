package dashboards_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// lateBy is more than the alert about the first byte allows.
const lateBy = 5200 * time.Millisecond

// chatBackend is a backend that carries chats, each as its query says.
type chatBackend struct {
	URL     string
	release chan struct{} // ends the answers that are held
}

func newChatBackend(t *testing.T) *chatBackend {
	t.Helper()
	b := &chatBackend{release: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/chat", b.answer)
	mux.HandleFunc("/api/chat/stream", b.answer)
	mux.HandleFunc("/chatkit", b.turn)
	mux.HandleFunc("/v1/chat/completions", model)
	// No handshake of its own: the product takes the origin off.
	mux.Handle("/ws/chat/", websocket.Server{Handler: func(c *websocket.Conn) { _, _ = io.Copy(c, c) }})
	server := httptest.NewServer(mux)
	b.URL = server.URL
	t.Cleanup(server.Close)
	return b
}

func (b *chatBackend) answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	how := r.URL.Query().Get("do")
	if how == "late" {
		select {
		case <-time.After(lateBy):
		case <-r.Context().Done():
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: begun\n\n")
	_ = http.NewResponseController(w).Flush()
	switch how {
	case "cut":
		panic(http.ErrAbortHandler)
	case "idle":
		<-r.Context().Done()
	case "hold":
		for b.pause(r, 50*time.Millisecond) {
			_, _ = io.WriteString(w, "data: more\n\n")
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// pause is false where the pause was cut short.
func (b *chatBackend) pause(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
	case <-b.release:
	}
	return false
}

// held is a stream that goes on until the backend or the client ends it.
type held struct {
	leave context.CancelFunc
	body  io.ReadCloser
}

// hold opens one.
func (p *product) hold() held {
	p.T.Helper()
	ctx, leave := context.WithCancel(p.T.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.sites["chat"]+"/api/custom/stream?do=hold", strings.NewReader("{}"))
	if err != nil {
		p.T.Fatal(err)
	}
	resp, err := p.Client.Do(r)
	if err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(func() {
		leave()
		_ = resp.Body.Close()
	})
	return held{leave, resp.Body}
}

// dialSocket opens a WebSocket and says something.
func (p *product) dialSocket() *websocket.Conn {
	p.T.Helper()
	c, err := websocket.Dial(strings.Replace(p.sites["chat"], "http", "ws", 1)+"/api/ws/chat/session-1", "", "http://app.example.com")
	if err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(func() { _ = c.Close() })
	var got string
	if err := websocket.Message.Send(c, "hi"); err != nil {
		p.T.Fatal(err)
	}
	if err := websocket.Message.Receive(c, &got); err != nil || got != "hi" {
		p.T.Fatalf("got %q and %v", got, err)
	}
	return c
}

// lateContent is more than the alert about the first content allows.
const lateContent = 10500 * time.Millisecond

// turn answers a turn of the chatkit path, as the query of its request says.
func (*chatBackend) turn(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(text string) {
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
	}
	say(`data: {"type":"thread.created","thread":{"id":"thr_1"}}` + "\n\n")
	switch r.URL.Query().Get("do") {
	case "cut":
		panic(http.ErrAbortHandler)
	case "late":
		for start := time.Now(); time.Since(start) < lateContent; time.Sleep(200 * time.Millisecond) {
			say(": a sign of life, and no content\n\n")
		}
	}
	say(`data: {"type":"thread.item.done","item":{"id":"msg_1","type":"assistant_message","content":[]}}` + "\n\n")
}

// The tokens that an answer of the model takes.
const tokensIn, tokensOut = 70, 30

// model is a server of models, for stand-ins.
func model(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprintf(w, `data: {"choices":[{"index":0,"delta":{"content":"I stand in."},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}

data: [DONE]

`, tokensIn, tokensOut)
}
