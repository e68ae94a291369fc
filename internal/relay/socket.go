package relay

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// SocketEnd is how an upgraded connection came to its end.
type SocketEnd int32

const (
	// NoSocket is that of an answer that is no upgraded connection.
	NoSocket SocketEnd = iota

	// SocketClosed is that of a connection one end of which had begun to close
	// it by a close frame, or whose bytes are no WebSocket frames, so that
	// nobody can tell.
	SocketClosed

	// SocketCut is that of one which the backend broke off.
	SocketCut

	// SocketLeft is that of one which the client left without a word.
	SocketLeft
)

// SocketEnd tells how an upgraded connection ended, once nobody reads or writes
// it any more. One that did not fail towards the backend is the client's doing:
// the proxy may still be about to close it.
func (a *Answer) SocketEnd() SocketEnd {
	if a.socket == nil {
		return NoSocket
	}
	return a.socket.ended(SocketLeft)
}

// socket is the connection to the backend of an upgraded request. It passes
// bytes as they are, and notes who ended it and whether a close frame came first.
type socket struct {
	io.ReadWriteCloser

	received frames // from the backend
	sent     frames // by the client, or by Caddy when it drains
	closing  atomic.Bool
	end      atomic.Int32 // a SocketEnd: the first one counts, what comes after is its echo
}

// Read implements [io.Reader].
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(p)
	s.watch(&s.received, p[:n])
	if err != nil {
		s.ended(SocketCut)
	}
	return n, err
}

// Write implements [io.Writer]. It looks before it sends: a backend may hang up
// on a close frame before the write of it has returned.
func (s *socket) Write(p []byte) (int, error) {
	if isGoingAway(p) {
		s.closing.Store(true)
	}
	s.watch(&s.sent, p)
	n, err := s.ReadWriteCloser.Write(p)
	if err != nil {
		s.ended(SocketCut)
	}
	return n, err
}

// CloseWrite closes the client's half, which is what reverse_proxy does when the
// client has closed it. A connection without halves says so, as net/http's does.
func (s *socket) CloseWrite() error {
	s.ended(SocketLeft)
	if half, ok := s.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return fmt.Errorf("CloseWrite: %w", http.ErrNotSupported)
}

// Close implements [io.Closer]. The proxy closes what the backend has not ended
// when the client has gone.
func (s *socket) Close() error {
	s.ended(SocketLeft)
	return s.ReadWriteCloser.Close()
}

// ended notes the end of the connection, unless it had ended before, and returns
// what is noted.
func (s *socket) ended(by SocketEnd) SocketEnd {
	if s.closing.Load() {
		by = SocketClosed
	}
	s.end.CompareAndSwap(int32(NoSocket), int32(by))
	return SocketEnd(s.end.Load())
}

// watch follows one direction, as long as there is something to learn.
func (s *socket) watch(f *frames, p []byte) {
	if !s.closing.Load() && f.follow(p) {
		s.closing.Store(true)
	}
}

// isGoingAway tells whether a write is the frame with which Caddy drains: masked,
// with status 1001 and no reason. It may come in the middle of a frame that the
// client still sends, where following that one would take it for its payload.
func isGoingAway(p []byte) bool {
	return len(p) == 8 && p[0] == 0x88 && p[1] == 0x82 && p[2]^p[6] == 1001>>8 && p[3]^p[7] == 1001&0xFF
}

// frames follows the headers of the WebSocket frames of one direction (RFC 6455,
// section 5.2), up to the first that closes or is none.
type frames struct {
	mu   sync.Mutex // Caddy's drain writes while the client does
	head [10]byte   // of the frame that begins, without its mask
	have int        // bytes of head
	rest uint64     // bytes that follow it, mask and payload
	over bool       // nothing more to learn
}

// follow takes the next bytes and tells whether there is nothing more to learn.
func (f *frames) follow(p []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(p) > 0 && !f.over {
		if f.rest == 0 {
			p = p[f.begin(p):]
			continue
		}
		n := min(f.rest, uint64(len(p)))
		f.rest -= n
		p = p[n:]
	}
	return f.over
}

// begin takes bytes of a header and returns how many.
func (f *frames) begin(p []byte) int {
	n := copy(f.head[f.have:f.size()], p)
	f.have += n
	f.over = f.last()
	if f.have == f.size() {
		f.rest = f.length()
		f.have = 0
	}
	return n
}

// size is how long the header is, without its mask and as far as is known.
func (f *frames) size() int {
	if f.have < 2 {
		return 2
	}
	switch f.head[1] & 0x7F {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// length is how many bytes follow the header, with the mask.
func (f *frames) length() uint64 {
	n := uint64(f.head[1] & 0x7F)
	switch n {
	case 126:
		n = uint64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		n = binary.BigEndian.Uint64(f.head[2:])
	}
	if f.head[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// last tells, as soon as the header's bytes do, whether the frame closes the
// connection or cannot be one. The bits of extensions may be set; nobody else's
// faults are looked for.
func (f *frames) last() bool {
	const closes = 8
	kind := f.head[0] & 0x0F
	control := kind >= closes
	switch {
	case kind == closes, kind&7 > 2: // 3 to 7 and 11 to 15 are reserved
		return true
	case control && f.head[0]&0x80 == 0: // in fragments
		return true
	case control && f.have > 1 && f.head[1]&0x7F > 125: // too long
		return true
	}
	return f.have > 2 && f.head[1]&0x7F == 127 && f.head[2]&0x80 != 0 // longer than can be
}
