package caddymodule_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire is a raw connection to the site, for what no proper client sends.
type wire struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (s *site) dial() *wire {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	return &wire{Conn: conn, t: s.t, r: bufio.NewReader(conn)}
}

// send writes text in the background: the site may answer before it has read
// it all, and may then hang up.
func (w *wire) send(text ...string) {
	go func() {
		for _, part := range text {
			if _, err := io.WriteString(w, part); err != nil {
				return
			}
		}
	}()
}

// head is the head of a session request with headers ("Name: value").
func head(headers ...string) string {
	return "POST /api/custom/session HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

// sized is a header for a body of n bytes.
func sized(n int) string { return fmt.Sprintf("Content-Length: %d", n) }

// answer reads the next answer; ok is false at the end of the connection.
func (w *wire) answer() (a answer, ok bool) {
	w.t.Helper()
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return a, false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil && resp.ContentLength >= 0 { // else it ends with the connection, however that ends
		w.t.Error(err)
	}
	return answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(raw)}, true
}
