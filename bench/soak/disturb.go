package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// disturb changes something every second, in the same order again and again, so
// that each minute of the load is like the others.
func disturb(ctx context.Context, p *proxy, b *backends, t *tally) {
	for n := 0; pause(ctx, time.Second); n++ {
		switch {
		case n%20 == 19:
			p.reload(ctx, n/20, t)
		case n%60 == 33:
			p.expect(ctx, t, "refused reload", http.StatusBadRequest, "/load", "text/caddyfile", "{\nadmin "+p.admin+"\n}\n:1 {\nchatkit {\n}\n}\n")
		case n%30 == 11:
			p.expect(ctx, t, "force", http.StatusOK, "/chatkit/providers/b/open", "application/json", `{"for":"4s","reason":"soak"}`)
		case n%30 == 23:
			p.expect(ctx, t, "force", http.StatusOK, "/chatkit/providers/a/close", "application/json", `{"for":"10s","reason":"soak"}`)
		case n%30 == 27:
			p.expect(ctx, t, "force", http.StatusOK, "/chatkit/providers/a/auto", "application/json", "")
		case n%6 == 1:
			b.a.set(faults[n/6%len(faults)])
		case n%6 == 4:
			b.a.set("")
		case n%40 == 5:
			b.b.set(faults[n/40%len(faults)])
		case n%40 == 8:
			b.b.set("")
		}
	}
}

// reload loads the configuration, of which every other provider is another one.
func (p *proxy) reload(ctx context.Context, n int, t *tally) {
	p.reloaded.Store(time.Now().UnixNano())
	p.expect(ctx, t, "reload", http.StatusOK, "/load", "text/caddyfile", p.config(n/2))
	p.reloaded.Store(time.Now().UnixNano())
}

// expect sends a request to the admin API and counts whether it was answered so.
func (p *proxy) expect(ctx context.Context, t *tally, what string, want int, path, contentType, body string) {
	status, text, err := p.api(ctx, http.MethodPost, path, contentType, body)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		t.bad(what, err.Error())
	case status != want:
		t.bad(what, fmt.Sprint(status, " ", text))
	default:
		t.ok(what, fmt.Sprint(status))
	}
}
