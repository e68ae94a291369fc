package relay

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// SocketEnd is how an upgraded connection ended. The zero value stands for an
// answer that is not an upgraded connection.
type SocketEnd int

const (
	// SocketClosed is the end of a connection that one side closed by a
	// WebSocket close frame.
	SocketClosed SocketEnd = iota + 1

	// SocketCut is the end of one that the backend broke off.
	SocketCut

	// SocketLeft is the end of one that the client broke off.
	SocketLeft
)

// SocketEnd returns how an upgraded connection ended. It is to be called once
// nobody reads or writes it any more. Without an error towards the backend the
// client has left: the proxy may not have closed the connection yet.
func (r *Response) SocketEnd() SocketEnd {
	if r.socket == nil {
		return 0
	}
	return r.socket.ended(SocketLeft)
}

// socket is the connection to the backend of an upgraded request. It passes
// bytes unchanged, and notes which side ended it.
type socket struct {
	io.ReadWriteCloser

	mu       sync.Mutex // Caddy's drain writes while the client does
	received tail       // from the backend
	sent     tail       // by the client, or by Caddy when it drains
	end      SocketEnd  // the first one: all others follow from it
}

// Read implements [io.Reader].
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(p)
	s.keep(&s.received, p[:n])
	if err != nil {
		s.ended(SocketCut)
	}
	return n, err
}

// Write implements [io.Writer]. It keeps the bytes before it sends them: a
// backend may hang up on a close frame before the write of it has returned.
func (s *socket) Write(p []byte) (int, error) {
	s.keep(&s.sent, p)
	n, err := s.ReadWriteCloser.Write(p)
	if err != nil {
		s.ended(SocketCut)
	}
	return n, err
}

// CloseWrite closes the client's half. reverse_proxy does that when the client
// has closed its half. A connection without halves returns net/http's error.
func (s *socket) CloseWrite() error {
	s.ended(SocketLeft)
	if half, ok := s.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return fmt.Errorf("CloseWrite: %w", http.ErrNotSupported)
}

// Close implements [io.Closer]. The proxy closes the connection after either
// side has ended it.
func (s *socket) Close() error {
	s.ended(SocketLeft)
	return s.ReadWriteCloser.Close()
}

func (s *socket) keep(t *tail, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.add(p)
}

// ended notes that the connection ended, by whom if no close frame says so, and
// returns what was noted first.
func (s *socket) ended(by SocketEnd) SocketEnd {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.end != 0:
	case s.received.closes(0, 0), s.sent.closes(0x80, 4):
		s.end = SocketClosed
	default:
		s.end = by
	}
	return s.end
}

// maxClose is the size of the longest close frame: header, mask and payload.
const maxClose = 2 + 4 + 125

// tail keeps the last bytes of one direction. A close frame is always the last
// frame (RFC 6455, section 5.5.1), so they are enough to find it without
// following all frames before it. Other bytes may look like one by chance: about
// one in 500 connections that break off within random data counts as closed.
type tail struct {
	buf [maxClose]byte
	n   int
}

func (t *tail) add(p []byte) {
	p = p[max(len(p)-maxClose, 0):]
	if over := t.n + len(p) - maxClose; over > 0 {
		t.n = copy(t.buf[:], t.buf[over:t.n])
	}
	t.n += copy(t.buf[t.n:], p)
}

// closes reports whether the last bytes are a close frame: 0x88, the length with
// the mask bit, a mask of the given size, and as many bytes as the length says.
func (t *tail) closes(maskBit, maskSize int) bool {
	for i := range t.n - 1 - maskSize {
		size := t.n - i - 2 - maskSize
		if size <= 125 && t.buf[i] == 0x88 && int(t.buf[i+1]) == maskBit|size {
			return true
		}
	}
	return false
}
