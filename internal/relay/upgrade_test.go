package relay_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// switches answers with one end of a connection.
func switches(conn net.Conn) send {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{}, Body: conn}, nil
	}
}

// An upgraded connection may be quiet for as long as it likes, ends with its
// request, and says when it is closed itself.
func TestUpgradedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		r := newRig(t)
		a := r.add("a", switches(ours))
		ctx, leave := context.WithCancel(t.Context())
		got := r.carried(post(ctx, nil))
		a.asked(okay)
		conn, ok := got.Body.(io.ReadWriteCloser)
		if !ok {
			t.Fatalf("the body is a %T", got.Body)
		}
		for range 3 {
			time.Sleep(10 * idle)
			go func() { _, _ = conn.Write([]byte("ping")) }()
			b := make([]byte, 4)
			if _, err := io.ReadFull(theirs, b); err != nil || string(b) != "ping" {
				t.Errorf("got %q and %v", b, err)
			}
		}
		if got.Idle() || a.requests[0].Context().Err() != nil {
			t.Errorf("idle: %t, ended by %v", got.Idle(), a.requests[0].Context().Err())
		}
		leave()
		a.abandoned()
		_ = conn.Close()
		if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the other end got %v", err)
		}
	})
}

// With net/http: both directions, and each can be closed by itself.
func TestUpgradeOverASocket(t *testing.T) {
	got := make(chan string, 1)
	backend := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello ")
		_ = rw.Flush()
		b, _ := io.ReadAll(rw) // to the end of the client's half
		got <- string(b)
		_, _ = conn.Write([]byte("and bye"))
	})
	r := newRig(t)
	a := r.add("a", backend.send)
	req := post(t.Context(), nil)
	req.Method = http.MethodGet
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	answer := r.carried(req)
	conn, ok := answer.Body.(interface {
		io.ReadWriteCloser
		CloseWrite() error
	})
	if !ok {
		t.Fatalf("the body is a %T", answer.Body)
	}
	in := bufio.NewReader(conn)
	if s, err := in.ReadString(' '); s != "hello " || err != nil {
		t.Errorf("got %q and %v", s, err)
	}
	_, err := conn.Write([]byte("hi"))
	if err = errors.Join(err, conn.CloseWrite()); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(in); string(b) != "and bye" || err != nil {
		t.Errorf("got %q and %v", b, err)
	}
	if s := <-got; s != "hi" {
		t.Errorf("the backend got %q", s)
	}
	a.asked(okay)
}
