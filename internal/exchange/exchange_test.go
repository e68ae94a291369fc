package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// new returns a transport to any server.
func newTransport() *exchange.Transport {
	var d net.Dialer
	return &exchange.Transport{Dial: d.DialContext, MaxIdle: 4, IdleTimeout: time.Minute, MaxHeader: 64 << 10}
}

// standard returns net/http's transport with the same settings.
func standard() *http.Transport {
	return &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10}
}

// ask posts a body and reads the answer.
func ask(ctx context.Context, rt http.RoundTripper, url string, body []byte) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// An exchange ends as with net/http's transport, whatever the server sends, and
// takes as many connections.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer string // to each request; the server closes after an answer that ends in "<"
		status int    // 0: an error
		body   string
		conns  int // of three requests
	}{
		{"length", okAnswer, 200, "ok", 1},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, "ok", 1},
		{"trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", 200, "ok", 1},
		{"to the end", "HTTP/1.1 200 OK\r\n\r\nok<", 200, "ok", 3},
		{"old", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok<", 200, "ok", 3},
		{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok<", 200, "ok", 3},
		{"interim", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + okAnswer, 200, "ok", 1},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", 1},
		{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", 1},
		{"error", "HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nno", 503, "no", 1},
		{"cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok<", 0, "", 3},
		{"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok<", 0, "", 3},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n<", 0, "", 3},
		{"nothing", "<", 0, "", 3},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-<", 0, "", 3},
		{"garbage", "hello\r\n\r\n<", 0, "", 3},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok<", 0, "", 3},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok<", 0, "", 3},
		{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", 1},
		{"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\nok<", 0, "", 3},
		{"more than asked for", okAnswer + okAnswer, 200, "ok", 3},
		{"long header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10) + "\r\nContent-Length: 2\r\n\r\nok<", 0, "", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, std := newTransport(), standard()
			defer ours.CloseIdleConnections()
			defer std.CloseIdleConnections()
			for name, rt := range map[string]http.RoundTripper{"ours": ours, "net/http": std} {
				s := serve(t, tt.answer)
				for range 3 {
					status, body, err := ask(t.Context(), rt, s.url(), []byte("{}"))
					if tt.status == 0 {
						if err == nil {
							t.Errorf("%s: no error, but %d %q", name, status, body)
						}
						continue
					}
					if err != nil || status != tt.status || body != tt.body {
						t.Errorf("%s: %d %q %v", name, status, body, err)
					}
					time.Sleep(5 * time.Millisecond) // until what is too much has arrived
				}
				if got := s.stop(); got != tt.conns {
					t.Errorf("%s: %d connections, want %d", name, got, tt.conns)
				}
			}
		})
	}
}

// What ends the context ends the exchange, with its cause.
func TestEnds(t *testing.T) {
	why := errors.New("why")
	for _, tt := range []struct {
		name   string
		answer string
		ctx    func() (context.Context, context.CancelFunc)
		want   error
	}{
		{"deadline before the answer", "", in(50 * time.Millisecond), context.DeadlineExceeded},
		{"deadline in the header", "HTTP/1.1 200 OK\r\nX", in(50 * time.Millisecond), context.DeadlineExceeded},
		{"deadline in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", in(50 * time.Millisecond), context.DeadlineExceeded},
		{"canceled", "", canceled(why), why},
		{"canceled in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", canceled(why), why},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.answer)
			rt := newTransport()
			defer rt.CloseIdleConnections()
			ctx, cancel := tt.ctx()
			defer cancel()
			if _, _, err := ask(ctx, rt, s.url(), []byte("{}")); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if _, _, err := ask(ctx, rt, s.url(), []byte("{}")); !errors.Is(err, tt.want) {
				t.Errorf("then got %v, want %v", err, tt.want)
			}
			if n := s.stop(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A connection that was closed while it waited costs no request.
func TestClosedWhileWaiting(t *testing.T) {
	s := serve(t, okAnswer)
	rt := newTransport()
	defer rt.CloseIdleConnections()
	for i := range 20 {
		if _, body, err := ask(t.Context(), rt, s.url(), []byte("{}")); body != "ok" || err != nil {
			t.Fatalf("request %d: %q %v", i, body, err)
		}
		s.drop()
	}
	if n := s.stop(); n != 20 {
		t.Errorf("%d connections", n)
	}
}

// A server that refuses a body may close before it has read it. Its answer counts.
func TestEarlyAnswer(t *testing.T) {
	s := serve(t, "HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno<")
	s.unread = true
	rt := newTransport()
	defer rt.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if status, body, err := ask(ctx, rt, s.url(), make([]byte, 16<<20)); status != 413 || body != "no" {
		t.Errorf("%d %q %v", status, body, err)
	}
}

// Answers may be left unread, and bodies closed twice, or while they are read.
func TestBodiesClosedEarly(t *testing.T) {
	s := serve(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
	rt := newTransport()
	defer rt.CloseIdleConnections()
	for range 3 {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url(), strings.NewReader("{}"))
		resp, err := rt.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10*time.Millisecond, func() { _ = resp.Body.Close() })
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("no error")
		}
		if err := errors.Join(resp.Body.Close(), resp.Body.Close()); err != nil {
			t.Error(err)
		}
	}
	if n := s.stop(); n != 3 {
		t.Errorf("%d connections", n)
	}
}

// Connections are kept for their host only, not more than MaxIdle, and none once
// they are closed.
func TestPool(t *testing.T) {
	one, two := serve(t, okAnswer), serve(t, okAnswer)
	rt := newTransport()
	for range 3 {
		for _, s := range []*server{one, two} {
			if _, _, err := ask(t.Context(), rt, s.url(), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	rt.CloseIdleConnections()
	if _, _, err := ask(t.Context(), rt, one.url(), nil); err != nil {
		t.Fatal(err)
	}
	if a, b := one.stop(), two.stop(); a != 2 || b != 1 {
		t.Errorf("%d and %d connections, want 2 and 1", a, b)
	}
}

// No connection, and the errors are those of the dialer.
func TestDial(t *testing.T) {
	refused := errors.New("refused")
	rt := &exchange.Transport{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}
	for _, url := range []string{"http://one.example.com", "https://one.example.com:8443"} {
		if _, _, err := ask(t.Context(), rt, url, []byte("{}")); !errors.Is(err, refused) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func in(d time.Duration) func() (context.Context, context.CancelFunc) {
	return func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), d)
	}
}

func canceled(why error) func() (context.Context, context.CancelFunc) {
	return func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
		return ctx, func() { cancel(nil) }
	}
}
