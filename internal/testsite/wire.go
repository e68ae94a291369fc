package testsite

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Wire is a raw connection to the site, for what no proper client sends.
type Wire struct {
	net.Conn
	T *testing.T
	R *bufio.Reader
}

// Dial opens one, which ends with the test.
func (s *Site) Dial() *Wire {
	s.T.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		s.T.Fatal(err)
	}
	return &Wire{Conn: conn, T: s.T, R: bufio.NewReader(conn)}
}

// Send writes text in the background: the site may answer before it has read
// it all, and may then hang up.
func (w *Wire) Send(text ...string) {
	go func() {
		for _, part := range text {
			if _, err := io.WriteString(w, part); err != nil {
				return
			}
		}
	}()
}

// Answer reads the next answer; ok is false at the end of the connection.
func (w *Wire) Answer() (a Answer, ok bool) {
	w.T.Helper()
	resp, err := http.ReadResponse(w.R, nil)
	if err != nil {
		return a, false
	}
	a, err = ReadAnswer(resp)
	if err != nil && resp.ContentLength >= 0 { // else it ends with the connection, however that ends
		w.T.Error(err)
	}
	return a, true
}

// Raw sends a request as it stands and returns all that comes back for it, up
// to the end of the connection.
func (s *Site) Raw(request string) string {
	s.T.Helper()
	w := s.Dial()
	w.Send(request)
	all, err := io.ReadAll(w.R)
	if err != nil {
		s.T.Error(err)
	}
	return string(all)
}

// ParseAnswer reads an answer that came as text.
func ParseAnswer(t *testing.T, raw string) Answer {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ReadAnswer(resp)
	if err != nil {
		t.Error(err)
	}
	return a
}
