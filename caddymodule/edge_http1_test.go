package caddymodule_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// hidden is a request that stands where a server that reads the framing otherwise
// would begin to read.
const hidden = "POST /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

const (
	sessionLine = "POST /api/custom/session HTTP/1.1\r\nHost: HOST\r\n"
	streamLine  = "POST /api/custom/stream HTTP/1.1\r\nHost: HOST\r\n"
)

// edgeHTTP1 is what comes over HTTP/1.1. Where a site's answer counts, the path is a
// session's or a stream's.
func edgeHTTP1() []attack {
	stall := func(text string) func(string) string {
		return many(200, func(c net.Conn) string { return talk(c, text, true) })
	}
	send := func(text string) func(string) string {
		return many(1, func(c net.Conn) string { return talk(c, text, false) })
	}
	return []attack{
		{name: "200 slow headers", do: stall(sessionLine + "X-A: 1"), ours: "closed"},
		{name: "200 slow session bodies", do: stall(sessionLine + sized(100) + "\r\n\r\n{"), ours: "408", plain: "499|504"},
		{name: "200 slow stream bodies", do: stall(streamLine + sized(100) + "\r\n\r\n{"), ours: "408", plain: "499|504"},
		{name: "200 slow chunked bodies", do: stall(streamLine + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"), ours: "408", plain: "499|504", backend: 200},
		{name: "header of 2 MiB", do: send(sessionLine + "X: " + strings.Repeat("x", 2<<20) + "\r\n\r\n"), ours: "431"},
		{name: "100,000 headers", do: send(sessionLine + strings.Repeat("X: y\r\n", 200_000) + "\r\n"), ours: "431"},
		{name: "URI of 2 MiB", do: send("POST /" + strings.Repeat("x", 2<<20) + " HTTP/1.1\r\nHost: HOST\r\n\r\n"), ours: "431"},
		{name: "length and chunks", do: send(streamLine + sized(4) + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), ours: "200", backend: 1},
		{name: "length too short beside chunks", do: send(streamLine + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(hidden) + "0\r\n\r\n"), ours: "200", backend: 1},
		{name: "two lengths", do: send(streamLine + "Content-Length: 0\r\n" + sized(len(hidden)) + "\r\n\r\n" + hidden), ours: "400"},
		{name: "length with a sign", do: send(streamLine + "Content-Length: +5\r\n\r\nhello"), ours: "400"},
		{name: "unknown coding", do: send(streamLine + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden), ours: "501"},
		{name: "chunked twice", do: send(streamLine + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden), ours: "501"},
		{name: "coding with a tab", do: send(streamLine + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n"), ours: "200", backend: 1},
		{name: "folded header", do: send(streamLine + "X: a\r\n Transfer-Encoding: chunked\r\n" + sized(len(hidden)) + "\r\n\r\n" + hidden), ours: "200", backend: 1},
		{name: "bare line feeds", do: send(strings.ReplaceAll(streamLine+"Content-Length: 2\r\n\r\n", "\r\n", "\n") + "{}"), ours: "200", backend: 1},
		{name: "bare carriage return", do: send(streamLine + "X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"), ours: "400"},
		{name: "line feed in a chunk line", do: send(streamLine + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"), ours: "400", plain: "502", backend: 1},
		{name: "chunk extension", do: send(streamLine + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n"), ours: "200", backend: 1},
		{name: "chunk extensions of 1 MiB", do: send(streamLine + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 2000)+"\r\n{\r\n", 500) + "0\r\n\r\n"), ours: "400", plain: "502 400|502", backend: 1},
		{name: "chunk too long", do: send(streamLine + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}\r\n0\r\n\r\n"), ours: "400", plain: "502", backend: 1},
		{name: "space before the colon", do: send(streamLine + "Content-Length : 2\r\n\r\n{}"), ours: "400"},
		{name: "NUL in a header", do: send(streamLine + "X: a\x00b\r\nContent-Length: 0\r\n\r\n"), ours: "400"},
		{name: "no host", do: send("POST /api/custom/stream HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), ours: "400"},
		{name: "two hosts", do: send(streamLine + "Host: evil.test\r\nContent-Length: 0\r\n\r\n"), ours: "400"},
		{name: "another host in the request line", do: send("POST http://evil.test/api/custom/stream HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n"), ours: "200"},
		{name: "body of a GET", do: send("GET /api/custom/stream HTTP/1.1\r\nHost: HOST\r\n" + sized(len(hidden)) + "\r\n\r\n" + hidden), ours: "405", plain: "200"},
		{name: "HTTP/2 in the clear, asked for", do: send(streamLine + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 0\r\n\r\n"), ours: "200", plain: "426", backend: 1},
		{name: "HTTP/0.9", do: send("GET /api/custom/stream\r\n\r\n"), ours: "400"},
	}
}

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// talk sends a text and returns the statuses of the answers, or how it ended. What
// was sent of a stalled request stays all there is.
func talk(conn net.Conn, text string, stalls bool) string {
	go func() { _, _ = io.WriteString(conn, strings.ReplaceAll(text, "HOST", conn.RemoteAddr().String())) }()
	if !stalls {
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	}
	var got []string
	reader := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			break
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		got = append(got, fmt.Sprint(resp.StatusCode))
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // for a second answer
	}
	if got == nil {
		return "closed"
	}
	return strings.Join(got, " ")
}
