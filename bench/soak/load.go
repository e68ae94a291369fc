package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/websocket"
)

// client is one of the clients, with connections of its own.
type client struct {
	*http.Client

	p    *proxy
	t    *tally
	user string
}

// kinds are what the clients do, again and again.
var kinds = map[string]func(*client, context.Context){
	"session": (*client).session,
	"stream":  (*client).stream,
	"turn":    (*client).turn,
	"socket":  (*client).socket,
}

// load runs all clients and everything that disturbs them.
func load(ctx context.Context, o options, p *proxy, b *backends, t *tally, length time.Duration, all *samples) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var wg sync.WaitGroup
	for _, do := range kinds {
		for range o.clients {
			wg.Go(func() { serve(ctx, p, t, do) })
		}
	}
	wg.Go(func() { disturb(ctx, p, b, t) })
	if all != nil {
		wg.Go(func() { all.take(ctx, p, o.every, t) })
	}
	wg.Wait()
	b.a.set("")
	b.b.set("")
}

// serve has a client do its work until the end. A new one comes now and then.
func serve(ctx context.Context, p *proxy, t *tally, do func(*client, context.Context)) {
	for ctx.Err() == nil {
		transport := &http.Transport{DisableCompression: true}
		c := &client{&http.Client{Transport: transport, Timeout: 30 * time.Second}, p, t, fmt.Sprintf("user-%d", number(200))}
		for range 50 {
			do(c, ctx)
			if !pause(ctx, time.Duration(50+number(200))*time.Millisecond) {
				break
			}
		}
		transport.CloseIdleConnections()
	}
}

// answer is what a client got, as far as it came.
type answer struct {
	status         int // 0 without an answer
	provider, text string
}

// number returns any number below n.
func number(n int) int { return rand.IntN(n) } //nolint:gosec // nothing depends on its being random

// post sends a request. A client who leaves does so after some of the answer.
func (c *client) post(ctx context.Context, path, body string, leaves bool) (a answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.p.site+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header.Set("X-User", c.user)
	r.Header.Set("Authorization", "Bearer "+c.user)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	from := io.Reader(resp.Body)
	if leaves {
		from = io.LimitReader(from, 60)
	}
	text, err := io.ReadAll(from)
	return answer{resp.StatusCode, resp.Header.Get("X-Chatkit-Provider"), string(text)}, err
}

// session asks for a session, and now and then refreshes it. Nobody may go without,
// but by a refusal of a backend's.
func (c *client) session(ctx context.Context) {
	path, body := "/api/custom/session", ""
	if number(4) == 0 {
		path, body = "/api/custom/refresh", `{"token":"s-unknown"}`
	}
	a, err := c.post(ctx, path, body, false)
	switch {
	case err != nil:
		c.lost(ctx, "session", err)
	case a.status == http.StatusOK && strings.Contains(a.text, `"client_secret"`):
		c.t.ok("session", "from "+a.provider)
	case a.status == http.StatusBadRequest && strings.Contains(a.text, "REJECTED"):
		c.t.ok("session", "refused by a backend")
	default:
		c.t.bad("session", fmt.Sprint(a.status, " ", a.text))
	}
}

// stream reads a stream. Behind the commit point it breaks off with its backend.
func (c *client) stream(ctx context.Context) {
	leaves := number(5) == 0
	a, err := c.post(ctx, "/api/custom/stream", `{"message":"hello"}`, leaves)
	switch {
	case err != nil && a.status != 0:
		c.t.ok("stream", "cut")
	case err != nil:
		c.lost(ctx, "stream", err)
	case leaves:
		c.t.ok("stream", "left")
	case a.status == http.StatusOK && (strings.Contains(a.text, `"done"`) || strings.Contains(a.text, "<html>")):
		c.t.ok("stream", "whole")
	case a.status != http.StatusOK:
		c.t.ok("stream", fmt.Sprint(a.status))
	default:
		c.t.bad("stream", fmt.Sprintf("ended with %q", a.text))
	}
}

// turn reads a turn, which always ends in order: with its own last frame, with an
// error event, or with a backend's refusal.
func (c *client) turn(ctx context.Context) {
	leaves := number(5) == 0
	body := fmt.Sprintf(`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"%d"}],"attachments":[],"inference_options":{}}}}`, number(math.MaxInt))
	a, err := c.post(ctx, "/chatkit", body, leaves)
	switch {
	case err != nil:
		c.lost(ctx, "turn", err)
	case leaves:
		c.t.ok("turn", "left")
	case a.status != http.StatusOK:
		c.t.ok("turn", fmt.Sprint(a.status))
	case strings.HasSuffix(a.text, turn[len(turn)-1]+"\n\n"):
		c.t.ok("turn", "whole")
	case strings.Contains(a.text, `"type":"error"`):
		c.t.ok("turn", "error event")
	default:
		c.t.bad("turn", fmt.Sprintf("ended with %q", a.text))
	}
}

// socket talks over a WebSocket, and closes it or just hangs up.
func (c *client) socket(ctx context.Context) {
	config, err := websocket.NewConfig("ws://"+c.p.site+"/api/ws/chat/s-1", "http://"+c.p.site)
	if err != nil {
		c.t.bad("socket", err.Error())
		return
	}
	config.Header.Set("X-User", c.user)
	ws, err := config.DialContext(ctx)
	if err != nil {
		c.t.ok("socket", "refused")
		return
	}
	defer ws.Close()
	_ = ws.SetDeadline(time.Now().Add(10 * time.Second))
	for i := range 5 {
		said, got := fmt.Sprintf("message %d", i), ""
		if err := errors.Join(websocket.Message.Send(ws, said), websocket.Message.Receive(ws, &got)); err != nil {
			c.t.ok("socket", "cut")
			return
		}
		if got != said {
			c.t.bad("socket", fmt.Sprintf("got %q, want %q", got, said))
		}
		if !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
	c.t.ok("socket", "whole")
}

// lost counts a request without an answer, for which only a reload and the end of
// the load are good reasons.
func (c *client) lost(ctx context.Context, kind string, err error) {
	switch {
	case ctx.Err() != nil:
	case c.p.justReloaded():
		c.t.ok(kind, "lost to a reload")
	default:
		c.t.bad(kind, err.Error())
	}
}
