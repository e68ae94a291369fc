package exchange_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// server answers each request with the same bytes.
type server struct {
	ln     net.Listener
	answer string
	unread bool // it does not read bodies

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func serve(t *testing.T, answer string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{ln: ln, answer: answer}
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			s.wg.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) url() string { return "http://" + s.ln.Addr().String() + "/" }

// talk answers the requests of a connection.
func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if s.unread {
			_, _ = io.WriteString(conn, strings.TrimSuffix(s.answer, "<"))
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.CopyN(io.Discard, conn, 1<<20)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		text, closes := strings.CutSuffix(s.answer, "<")
		if _, err := io.WriteString(conn, text); err != nil || closes {
			return
		}
	}
}

// drop closes all connections.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

// stop ends the server and returns how many connections it has had.
func (s *server) stop() int {
	_ = s.ln.Close()
	s.drop()
	s.wg.Wait()
	return len(s.conns)
}
