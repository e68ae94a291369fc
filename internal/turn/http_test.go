package turn_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// transport is how turns stand under a reverse proxy: a round trip whose response is
// a client of a turn.
type transport struct {
	turns *turn.Turns
	to    http.RoundTripper
	turn.Options
	turn.Observer
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	req := &turn.Request{
		Asker:   turn.Asker{Caller: "alice", Frame: r.Header.Get("Chatkit-Frame-Instance-Id")},
		Options: t.Options, Observer: t.Observer,
		Ask: func(ctx context.Context, _ turn.End) (*turn.Answer, error) {
			out := r.Clone(ctx)
			out.Body = io.NopCloser(strings.NewReader(string(body)))
			resp, err := t.to.RoundTrip(out) //nolint:bodyclose // the turn closes it
			if err != nil {
				return nil, err
			}
			return &turn.Answer{Body: resp.Body, Passes: resp.StatusCode >= 400, Value: resp}, nil
		},
	}
	req.Key = req.KeyOf(body)
	c, err := t.turns.Do(r.Context(), req)
	if err != nil {
		return nil, err
	}
	resp := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, ContentLength: -1,
	}
	if a := c.Answer(); a != nil {
		got, _ := a.Value.(*http.Response)
		resp.StatusCode, resp.Header = got.StatusCode, got.Header.Clone()
		resp.Header.Del("Content-Length")
	}
	resp.Body = c
	return resp, nil
}

// proxied returns the URL of a reverse proxy before a backend.
func proxied(tb testing.TB, backend http.HandlerFunc, over func(http.RoundTripper) http.RoundTripper) string {
	tb.Helper()
	b := httptest.NewServer(backend)
	tb.Cleanup(b.Close)
	to, err := url.Parse(b.URL)
	if err != nil {
		tb.Fatal(err)
	}
	pool := &http.Transport{MaxIdleConnsPerHost: 1000}
	tb.Cleanup(pool.CloseIdleConnections)
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: over(pool), ErrorHandler: func(http.ResponseWriter, *http.Request, error) {},
	})
	tb.Cleanup(front.Close)
	return front.URL
}

// A browser is lost in the middle of a turn: the backend writes on and is not
// canceled, and the browser's next try shows everything.
func TestUnderAProxy(t *testing.T) {
	for _, finish := range []time.Duration{time.Minute, 0} {
		turns := turn.New()
		next, ended := make(chan string), make(chan error, 2)
		front := proxied(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for frame := range next {
				if frame == "" {
					break
				}
				_, _ = io.WriteString(w, frame)
				_ = http.NewResponseController(w).Flush()
			}
			if finish == 0 {
				<-r.Context().Done()
			}
			ended <- r.Context().Err()
		}, func(to http.RoundTripper) http.RoundTripper {
			return &transport{turns: turns, to: to, Options: turn.Options{Finish: finish, Attach: true}}
		})
		post := func(ctx context.Context) *http.Response {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, front, strings.NewReader("Hi"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Chatkit-Frame-Instance-Id", "f1")
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		ctx, lose := context.WithCancel(t.Context())
		go func() { next <- user }() // a header leaves with the first frame
		lost := post(ctx)
		next <- added
		if line, err := bufio.NewReader(lost.Body).ReadString('\n'); line+"\n" != user || err != nil {
			t.Errorf("got %q, %v", line, err)
		}
		lose()
		_ = lost.Body.Close()
		if finish > 0 {
			next <- update
			next <- done
			again := post(t.Context())
			next <- ""
			got, err := io.ReadAll(again.Body)
			_ = again.Body.Close()
			if want := user + added + update + done; string(got) != want || err != nil {
				t.Errorf("got %s, %v", got, err)
			}
		} else {
			next <- ""
		}
		if err := <-ended; (err == nil) != (finish > 0) {
			t.Errorf("finish %s: the backend's request ended with %v", finish, err)
		}
		turns.Close()
		http.DefaultClient.CloseIdleConnections()
	}
}

// The cost of a frame on its whole way: from a backend, through a reverse proxy, to
// a client.
func BenchmarkProxy(b *testing.B) {
	for _, bb := range []struct {
		name string
		over func(http.RoundTripper, *turn.Turns) http.RoundTripper
	}{
		{"copy", func(to http.RoundTripper, _ *turn.Turns) http.RoundTripper { return to }},
		{"turn", func(to http.RoundTripper, turns *turn.Turns) http.RoundTripper {
			return &transport{turns: turns, to: to, Options: turn.Options{Finish: time.Minute}}
		}},
		{"attach", func(to http.RoundTripper, turns *turn.Turns) http.RoundTripper {
			return &transport{turns: turns, to: to, Options: turn.Options{Finish: time.Minute, Attach: true}}
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			turns := turn.New()
			tick := make(chan struct{})
			front := proxied(b, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for range tick {
					_, _ = io.WriteString(w, deltaFrame)
					_ = http.NewResponseController(w).Flush()
				}
			}, func(to http.RoundTripper) http.RoundTripper { return bb.over(to, turns) })
			r, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, front, strings.NewReader("Hi"))
			r.Header.Set("Chatkit-Frame-Instance-Id", "f1")
			go func() { tick <- struct{}{} }()
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			frame := make([]byte, len(deltaFrame))
			_, _ = io.ReadFull(resp.Body, frame)
			b.ReportAllocs()
			for b.Loop() {
				tick <- struct{}{}
				if _, err := io.ReadFull(resp.Body, frame); err != nil {
					b.Fatal(err)
				}
			}
			close(tick)
			_ = resp.Body.Close()
			turns.Close()
			http.DefaultClient.CloseIdleConnections()
		})
	}
}
