package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		c := &client{&http.Client{Transport: transport, Timeout: 30 * time.Second}, p, t, fmt.Sprintf("user-%d", rand.IntN(200))}
		for range 50 {
			do(c, ctx)
			if !pause(ctx, time.Duration(50+rand.IntN(200))*time.Millisecond) {
				break
			}
		}
		transport.CloseIdleConnections()
	}
}

// post sends a request. A client who leaves does so after some of the answer.
func (c *client) post(ctx context.Context, path, body string, leaves bool) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.p.site+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("X-User", c.user)
	r.Header.Set("Authorization", "Bearer "+c.user)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	from := io.Reader(resp.Body)
	if leaves {
		from = io.LimitReader(from, 60)
	}
	text, err := io.ReadAll(from)
	return resp, string(text), err
}

// session asks for a session, and now and then refreshes it. Nobody may go without,
// but by a refusal of a backend's.
func (c *client) session(ctx context.Context) {
	path, body := "/api/custom/session", ""
	if rand.IntN(4) == 0 {
		path, body = "/api/custom/refresh", `{"token":"s-unknown"}`
	}
	resp, text, err := c.post(ctx, path, body, false)
	switch {
	case err != nil:
		c.lost(ctx, "session", err)
	case resp.StatusCode == http.StatusOK && strings.Contains(text, `"client_secret"`):
		c.t.ok("session", "from "+resp.Header.Get("X-Chatkit-Provider"))
	case resp.StatusCode == http.StatusBadRequest && strings.Contains(text, "REJECTED"):
		c.t.ok("session", "refused by a backend")
	default:
		c.t.bad("session", fmt.Sprint(resp.StatusCode, " ", text))
	}
}

// stream reads a stream. Behind the commit point it breaks off with its backend.
func (c *client) stream(ctx context.Context) {
	leaves := rand.IntN(5) == 0
	resp, text, err := c.post(ctx, "/api/custom/stream", `{"message":"hello"}`, leaves)
	switch {
	case err != nil && resp != nil:
		c.t.ok("stream", "cut")
	case err != nil:
		c.lost(ctx, "stream", err)
	case leaves:
		c.t.ok("stream", "left")
	case resp.StatusCode == http.StatusOK && (strings.Contains(text, `"done"`) || strings.Contains(text, "<html>")):
		c.t.ok("stream", "whole")
	case resp.StatusCode != http.StatusOK:
		c.t.ok("stream", fmt.Sprint(resp.StatusCode))
	default:
		c.t.bad("stream", fmt.Sprintf("ended with %q", text))
	}
}

// turn reads a turn, which always ends in order: with its own last frame, with an
// error event, or with a backend's refusal.
func (c *client) turn(ctx context.Context) {
	leaves := rand.IntN(5) == 0
	body := fmt.Sprintf(`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"%d"}],"attachments":[],"inference_options":{}}}}`, rand.Int())
	resp, text, err := c.post(ctx, "/chatkit", body, leaves)
	switch {
	case err != nil:
		c.lost(ctx, "turn", err)
	case leaves:
		c.t.ok("turn", "left")
	case resp.StatusCode != http.StatusOK:
		c.t.ok("turn", fmt.Sprint(resp.StatusCode))
	case strings.HasSuffix(text, turn[len(turn)-1]+"\n\n"):
		c.t.ok("turn", "whole")
	case strings.Contains(text, `"type":"error"`):
		c.t.ok("turn", "error event")
	default:
		c.t.bad("turn", fmt.Sprintf("ended with %q", text))
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
