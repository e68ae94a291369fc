package caddymodule_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// edgeSockets is what comes over WebSockets. Frames are the backend's to judge; what
// counts is that nothing of them is kept.
func edgeSockets() []attack {
	giant := "\x82\xff\x3f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04" + strings.Repeat("x", 16<<20)
	return []attack{
		{name: "1,000 WebSockets, then cut", do: many(1000, func(c net.Conn) string { return cutSocket(c, "") }), ours: "101", backend: 1000},
		{name: "1,000 WebSockets with a ping each", do: many(1000, func(c net.Conn) string { return cutSocket(c, "\x89\x80\x01\x02\x03\x04") }), ours: "101", backend: 1000},
		{name: "frame of 2^62 bytes, 16 MiB of it sent", do: many(4, func(c net.Conn) string { return cutSocket(c, giant) }), ours: "101", backend: 4},
		{name: "unmasked frame", do: many(1, func(c net.Conn) string { return cutSocket(c, "\x81\x05hello") }), ours: "101", backend: 1},
		{name: "no key", do: many(1, func(c net.Conn) string {
			return talk(c, "GET /api/ws/chat/s-1 HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", false)
		}), ours: "101", backend: 1},
	}
}

// cutSocket opens a WebSocket, sends bytes behind it, and hangs up.
func cutSocket(conn net.Conn, behind string) string {
	_, _ = io.WriteString(conn, "GET /api/ws/chat/s-1 HTTP/1.1\r\nHost: "+conn.RemoteAddr().String()+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // the connection is closed
	if err != nil {
		return "closed"
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(resp.Body)
		return resp.Status + " " + string(text)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second)) // who echoes nothing reads no more
	_, _ = io.WriteString(conn, behind)
	return resp.Status[:3]
}
