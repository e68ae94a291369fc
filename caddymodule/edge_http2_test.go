package caddymodule_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// edgeHTTP2 is what comes over HTTP/2.
func edgeHTTP2() []attack {
	return []attack{
		{name: "5,000 streams reset at once", secure: true, do: overHTTP2(rapidReset), ours: "open|GOAWAY ENHANCE_YOUR_CALM", backend: -1},
		{name: "CONTINUATION without end", secure: true, do: overHTTP2(continuations), ours: "GOAWAY PROTOCOL_ERROR"},
		{name: "headers of 8 MiB by the table", secure: true, do: overHTTP2(headerBomb), ours: "431"},
		{name: "50,000 SETTINGS, answers unread", secure: true, do: overHTTP2(settingsFlood), ours: "open|closed"},
		{name: "50,000 PINGs, answers unread", secure: true, do: overHTTP2(pingFlood), ours: "open|closed"},
		{name: "200 streams with a window of 0", secure: true, do: overHTTP2(noWindow), ours: "open", backend: 200},
	}
}

// h2 is a client's connection.
type h2 struct {
	*http2.Framer

	conn net.Conn
	host string
}

// overHTTP2 opens a connection for an attack.
func overHTTP2(do func(h *h2) string) func(addr string) string {
	return func(addr string) string {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			return err.Error()
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
		h := &h2{http2.NewFramer(conn, conn), conn, addr}
		h.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
			return err.Error()
		}
		return do(h)
	}
}

// head is the header block of a stream request.
func (h *h2) head(more ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	fields := append([]string{":method", "POST", ":scheme", "https", ":authority", h.host, ":path", "/api/custom/stream"}, more...)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// open sends a request without a body.
func (h *h2) open(stream uint32, block []byte) error {
	return h.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndHeaders: true, EndStream: true})
}

// end reads until the connection ends, and returns why; or "open".
func (h *h2) end(wait time.Duration) string {
	_ = h.conn.SetReadDeadline(time.Now().Add(wait))
	for {
		frame, err := h.ReadFrame()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "open"
		}
		if err != nil {
			return "closed"
		}
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			return "GOAWAY " + f.ErrCode.String()
		case *http2.MetaHeadersFrame:
			if status := f.PseudoValue("status"); status != "200" {
				return status
			}
		}
	}
}

func rapidReset(h *h2) string {
	_ = h.WriteSettings()
	done := make(chan string, 1)
	go func() { done <- h.end(5 * time.Second) }()
	block := h.head()
	for i := range uint32(5_000) {
		if h.open(2*i+1, block) != nil || h.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
			break
		}
	}
	return <-done
}

func continuations(h *h2) string {
	_ = h.WriteSettings()
	done := make(chan string, 1)
	go func() { done <- h.end(10 * time.Second) }()
	_ = h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: h.head()})
	var b bytes.Buffer
	_ = hpack.NewEncoder(&b).WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("~", 8000), Sensitive: true})
	for range 20_000 {
		if h.WriteContinuation(1, false, b.Bytes()) != nil {
			break
		}
	}
	return <-done
}

// headerBomb puts a field into the table and names it again and again, one byte each.
func headerBomb(h *h2) string {
	_ = h.WriteSettings()
	_ = h.open(1, append(h.head("x", strings.Repeat("y", 3000)), bytes.Repeat([]byte{0x80 | 62}, 2800)...))
	return h.end(time.Second)
}

func settingsFlood(h *h2) string {
	for range 50_000 {
		if h.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535}) != nil {
			return "closed"
		}
	}
	return h.end(time.Second)
}

func pingFlood(h *h2) string {
	_ = h.WriteSettings()
	for range 50_000 {
		if h.WritePing(false, [8]byte{}) != nil {
			return "closed"
		}
	}
	return h.end(time.Second)
}

func noWindow(h *h2) string {
	_ = h.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	block := h.head()
	for i := range uint32(200) {
		if err := h.open(2*i+1, block); err != nil {
			return fmt.Sprint(err)
		}
	}
	return h.end(time.Second)
}
