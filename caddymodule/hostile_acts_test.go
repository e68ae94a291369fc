package caddymodule_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// hostile is one caller who does whatever a client can do. It has one address and
// one account.
type hostile struct {
	url    string
	dialer net.Dialer
	http1  *http.Client
	http2  *http.Client
}

func newHostile(siteURL, address string) *hostile {
	x := &hostile{url: siteURL, dialer: net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}}
	var only http.Protocols
	only.SetHTTP1(true)
	x.http1 = &http.Client{Transport: &http.Transport{
		TLSClientConfig: trustAll(), DialContext: x.dialer.DialContext, Protocols: &only, MaxIdleConnsPerHost: 32,
	}}
	x.http2 = &http.Client{Transport: &http2.Transport{ //nolint:staticcheck // net/http's takes no :protocol
		TLSClientConfig: trustAll(), //nolint:staticcheck // the same
		DialTLSContext: //nolint:staticcheck // the same
		func(ctx context.Context, network, addr string, c *tls.Config) (net.Conn, error) {
			return (&tls.Dialer{NetDialer: &x.dialer, Config: c}).DialContext(ctx, network, addr)
		},
	}}
	return x
}

// acts are what the caller does, again and again.
func (x *hostile) acts() []func(context.Context) {
	return []func(context.Context){x.ask, x.ask, x.ask, x.askAndLeave, x.flood, x.trickle, x.stall, x.garbage, x.socket}
}

// hostilePaths are the paths that are claimed, and ways to write them.
var hostilePaths = []string{
	"/api/custom/session", "/api/create-session", "/api/chatkit/session", "/api/custom/refresh", "/api/chatkit/refresh",
	"/api/custom/message", "/api/custom/stream", "/chatkit", "/api/custom/m%65ssage",
}

func pick[T any](list []T) T { return list[rand.IntN(len(list))] }

// request is one that a library can send. Over HTTP/2 its names may begin with ':'.
func (x *hostile) request(ctx context.Context, body io.Reader) *http.Request {
	r, err := http.NewRequestWithContext(ctx, pick([]string{"POST", "POST", "POST", "GET", "PUT"}), x.url+pick(hostilePaths), body)
	if err != nil {
		panic(err)
	}
	for name, values := range map[string][]string{
		"X-User":        {"", "mallory"},
		"X-Auth-Token":  {"", "bad", "\x00"},
		"Authorization": {"", "Bearer x", "Bearer ek_x", "Basic eDp5"},
		"Cookie":        {"", "chatkit_session_id=00000000-0000-4000-8000-000000000000", "a=b"},
		"Content-Type":  {"", "application/json", "text/plain", "application/x-www-form-urlencoded"},
		"Origin":        {"", "https://evil.example.com", "null"},
		"Expect":        {"", "", "", "100-continue"},
		"Trailer":       {"", "", "X-Chatkit-Provider"},
		"X-Long":        {"", strings.Repeat("x", 8000)},
		":protocol":     {"", "", "websocket"},
	} {
		if v := pick(values); v != "" {
			r.Header.Set(name, v)
		}
	}
	return r
}

// do sends a request and drops the answer.
func (x *hostile) do(r *http.Request) {
	resp, err := pick([]*http.Client{x.http1, x.http2}).Do(r)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// ask sends one request.
func (x *hostile) ask(ctx context.Context) { x.do(x.request(ctx, strings.NewReader(hostileBody()))) }

// askAndLeave leaves at some time within the attempt's time limit.
func (x *hostile) askAndLeave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, rand.N(5*time.Second))
	defer cancel()
	x.ask(ctx)
}

// flood sends a large body, longer or shorter than announced or than is kept.
func (x *hostile) flood(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	size := pick([]int64{1<<20 - 76, 1 << 20, 1<<20 + 1, 3 << 20})
	r := x.request(ctx, io.LimitReader(zeros{}, size))
	r.ContentLength = pick([]int64{size, -1})
	x.do(r)
}

// zeros is an endless body of spaces.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// wire opens a connection of its own and sends the head of a request.
func (x *hostile) wire(ctx context.Context, head string) net.Conn {
	u, err := url.Parse(x.url)
	if err != nil {
		panic(err)
	}
	conn, err := (&tls.Dialer{NetDialer: &x.dialer, Config: trustAll()}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil
	}
	_ = conn.SetDeadline(time.Now().Add(8 * time.Second))
	_, _ = io.WriteString(conn, head)
	return conn
}

// hostileHead is the head of a POST to one of the paths.
func hostileHead(headers ...string) string {
	return "POST " + pick(hostilePaths) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

// trickle sends a body a byte at a time.
func (x *hostile) trickle(ctx context.Context) {
	conn := x.wire(ctx, hostileHead(sized(pick([]int{100, 1 << 20, 4 << 20}))))
	if conn == nil {
		return
	}
	defer conn.Close()
	for range 20 {
		if _, err := io.WriteString(conn, " "); err != nil || ctx.Err() != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// stall sends all of a body but its end, and waits.
func (x *hostile) stall(ctx context.Context) {
	conn := x.wire(ctx, hostileHead(sized(1<<20-76)))
	if conn == nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, strings.Repeat(" ", 1<<20-77))
	_, _ = io.ReadAll(conn)
}

// garbage sends what no library would.
func (x *hostile) garbage(ctx context.Context) {
	conn := x.wire(ctx, pick([]string{
		hostileHead("Transfer-Encoding: chunked") + "zz\r\n",
		hostileHead("Transfer-Encoding: chunked") + "5\r\n{\"a\":\r\n",
		hostileHead("Transfer-Encoding: chunked", "Content-Length: 4") + "0\r\n\r\n",
		hostileHead("Content-Length: 5", "X-User: a\xff") + "{\"a\":",
		hostileHead("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"),
		hostileHead("Connection: X-Auth-Token, Content-Type", "Content-Length: 2") + "{}",
		hostileHead("Content-Length: 2", "Content-Encoding: gzip") + "{}",
		hostileHead("Cookie: "+strings.Repeat("chatkit_session_id=x; ", 300), "Content-Length: 2") + "{}",
		"POST /api/custom/session HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x00",
	}))
	if conn == nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(rand.N(500 * time.Millisecond)))
	_, _ = io.ReadAll(conn)
	_ = conn.Close()
}

// socket opens a WebSocket and leaves it in some way.
func (x *hostile) socket(ctx context.Context) {
	conn := x.wire(ctx, "GET /api/ws/chat/"+pick([]string{"s-1", "c2Vz%3D%3D", "a%2Fb", "%2e%2e", "%00"})+" HTTP/1.1\r\nHost: 127.0.0.1\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if conn == nil {
		return
	}
	defer conn.Close()
	for range rand.IntN(4) {
		f := pick([]frame{{fin | opText, "hi"}, {fin | opText, "cut"}, {opText, "half"}, {fin | opClose, code(1000, "")}, {0x7f, "odd"}})
		if _, err := conn.Write(f.bytes(true)); err != nil {
			return
		}
		time.Sleep(rand.N(50 * time.Millisecond))
	}
}

// hostileBody is a body that asks for something, in one of the shapes that
// requests have.
func hostileBody() string {
	asked := slices.AppendSeq([]string{`\ud800`, `\u0000`, "hello", strings.Repeat("[", 40), strings.Repeat("m", 300)}, maps.Keys(touchyWords))
	return fmt.Sprintf(pick([]string{
		`{"model":"%s"}`, `{"metadata":{"x":"%s"}}`, `{"message":"%s"}`, `{"token":"%s"}`, `{"currentClientSecret":"ek_%s"}`,
		`{"x":1e999,"y":"%s"}`, `{"type":"threads.create","params":{"input":"%s"}}`, `%s`,
	}), pick(asked))
}
