package provider_test

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
)

// A peer that does not speak HTTP is not quoted: it can send anything.
func TestPeerIsNotQuoted(t *testing.T) {
	for _, answer := range []string{
		"planted-words\r\n\r\n",
		"HTTP/1.1 planted-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nplanted-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: planted-words\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: planted-words\r\n\r\n",
		"HTTP/planted-words 200 OK\r\n\r\n",
	} {
		t.Run(answer, func(t *testing.T) {
			u := speak(t, answer)
			c := provider.Client{URL: u, Transport: new(http.Transport)}
			err := c.Post(t.Context(), &provider.Call{Body: []byte(`{}`)}, func([]byte) error { return nil })
			if err == nil || strings.Contains(err.Error(), "planted") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// speak returns the URL of a server that answers one request with raw text.
func speak(t *testing.T, text string) *url.URL {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 1<<10)
		for n := 0; n < len(b) && !bytes.Contains(b, []byte("{}")); {
			got, err := conn.Read(b[n:])
			if err != nil {
				return
			}
			n += got
		}
		_, _ = conn.Write([]byte(text))
	}()
	return &url.URL{Scheme: "http", Host: ln.Addr().String(), Path: "/"}
}
