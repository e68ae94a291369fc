package exchange_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// evilAnswer is what nobody has asked for: the next caller must not get it.
const evilAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

// What a server sends beyond an answer is never the answer to the next request,
// however it is framed, and over TLS too, where it may wait decrypted or not.
func TestNoAnswerIsLeftForTheNext(t *testing.T) {
	log.SetOutput(io.Discard) // net/http logs each of them
	defer log.SetOutput(os.Stderr)
	for _, tt := range []struct {
		name   string
		writes []string // to each request
	}{
		{"in one write", []string{okAnswer + evilAnswer}},
		{"right behind", []string{okAnswer, evilAnswer}},
		{"half of one", []string{okAnswer, evilAnswer[:20]}},
		{"one byte", []string{okAnswer, "\n"}},
		{"behind chunks", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", evilAnswer}},
		{"behind chunks and a length", []string{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", evilAnswer}},
		{"behind trailers", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", evilAnswer}},
		{"behind a chunk extension", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=\"y\"\r\nok\r\n0\r\n\r\n", evilAnswer}},
		{"behind bare line feeds", []string{"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", evilAnswer}},
		{"behind a folded header", []string{"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", evilAnswer}},
		{"behind an interim answer", []string{"HTTP/1.1 100 Continue\r\n\r\n" + okAnswer, evilAnswer}},
		{"behind no content", []string{"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "ok" + evilAnswer}},
		{"behind not modified", []string{"HTTP/1.1 304 Not Modified\r\nContent-Length: 90\r\n\r\n", evilAnswer}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for scheme, encrypted := range map[string]bool{"http": false, "https": true} {
				s := newScripted(t, encrypted, tt.writes)
				ours, std := newTransport(), standard()
				ours.TLS, std.TLSClientConfig = s.trust(), s.trust()
				for name, rt := range map[string]http.RoundTripper{"ours": ours, "net/http": std} {
					before := s.asked.Load()
					for range 3 {
						ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
						_, body, err := ask(ctx, rt, scheme+"://"+s.addr, []byte("{}"))
						cancel()
						if strings.Contains(body, "evil") || errors.Is(err, context.DeadlineExceeded) {
							t.Fatalf("%s, %s: got %q and %v from what nobody asked for", scheme, name, body, err)
						}
						time.Sleep(10 * time.Millisecond) // until what is too much has arrived
					}
					if n := s.asked.Load() - before; n != 3 {
						t.Errorf("%s, %s: the server got %d requests, want 3", scheme, name, n)
					}
				}
				ours.CloseIdleConnections()
				std.CloseIdleConnections()
			}
		})
	}
}

// A server that closes right behind its answer costs no request.
func TestClosedRightBehind(t *testing.T) {
	for scheme, encrypted := range map[string]bool{"http": false, "https": true} {
		s := newScripted(t, encrypted, []string{okAnswer})
		s.closes = true
		rt := newTransport()
		rt.TLS = s.trust()
		for i := range 20 {
			if _, body, err := ask(t.Context(), rt, scheme+"://"+s.addr, []byte("{}")); body != "ok" || err != nil {
				t.Errorf("%s, request %d: %q %v", scheme, i, body, err)
			}
			time.Sleep(2 * time.Millisecond)
		}
		rt.CloseIdleConnections()
		if n := s.asked.Load(); n != 20 {
			t.Errorf("%s: the server got %d requests, want 20", scheme, n)
		}
	}
}

// Over TLS a connection serves one request after another all the same.
func TestOneConnectionOverTLS(t *testing.T) {
	s := newScripted(t, true, []string{okAnswer})
	rt := newTransport()
	defer rt.CloseIdleConnections()
	rt.TLS = s.trust()
	for i := range 20 {
		if _, body, err := ask(t.Context(), rt, "https://"+s.addr, []byte("{}")); body != "ok" || err != nil {
			t.Fatalf("request %d: %q %v", i, body, err)
		}
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// scripted is a server that answers each request by a number of writes, which are
// records of their own over TLS, and leave in one piece.
type scripted struct {
	addr         string
	cert         *httptest.Server
	writes       []string
	closes       bool // the connection, with its last write
	asked, conns atomic.Int32
}

func newScripted(t *testing.T, encrypted bool, writes []string) *scripted {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{addr: ln.Addr().String(), writes: writes, cert: httptest.NewTLSServer(nil)}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
		s.cert.Close()
	})
	go func() {
		defer close(done)
		for {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			together := &gathered{Conn: raw}
			var conn net.Conn = together
			if encrypted {
				conn = tls.Server(together, &tls.Config{Certificates: s.cert.TLS.Certificates})
			}
			go s.talk(conn, together)
		}
	}()
	return s
}

// trust is the configuration of a client.
func (s *scripted) trust() *tls.Config {
	return s.cert.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}

// talk answers the requests of a connection.
func (s *scripted) talk(conn net.Conn, raw *gathered) {
	defer raw.Close()
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		s.asked.Add(1)
		raw.hold = true
		for _, text := range s.writes {
			_, _ = io.WriteString(conn, text)
		}
		if s.closes {
			if over, ok := conn.(*tls.Conn); ok {
				_ = over.CloseWrite()
			}
		}
		if err := raw.release(); err != nil || s.closes {
			return
		}
	}
}

// gathered is a connection that can hold back what is written, so that it leaves in
// one piece.
type gathered struct {
	net.Conn

	hold bool
	held []byte
}

// Write implements [io.Writer].
func (g *gathered) Write(p []byte) (int, error) {
	if !g.hold {
		return g.Conn.Write(p)
	}
	g.held = append(g.held, p...)
	return len(p), nil
}

func (g *gathered) release() error {
	_ = g.SetWriteDeadline(time.Time{}) // TLS has set one when it closed
	_, err := g.Conn.Write(g.held)
	g.hold, g.held = false, nil
	return err
}
