package relay_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// scripted is a backend's end of a connection that gives reads as they stand,
// then end, and keeps what is written.
type scripted struct {
	reads   [][]byte
	end     error
	wrote   []byte
	refuses error // what a write fails with
	halves  int   // how often CloseWrite was called
}

func (c *scripted) Read(p []byte) (int, error) {
	if len(c.reads) == 0 {
		return 0, c.end
	}
	n := copy(p, c.reads[0])
	if c.reads[0] = c.reads[0][n:]; len(c.reads[0]) == 0 {
		c.reads = c.reads[1:]
	}
	return n, nil
}

func (c *scripted) Write(p []byte) (int, error) {
	if c.refuses != nil {
		return 0, c.refuses
	}
	c.wrote = append(c.wrote, p...)
	return len(p), nil
}

func (*scripted) Close() error { return nil }

func (c *scripted) CloseWrite() error {
	c.halves++
	return nil
}

// upgradedTo returns a connection as the proxy gets it, and its answer.
func upgradedTo(t *testing.T, conn io.ReadWriteCloser) (*relay.Response, io.ReadWriteCloser) {
	t.Helper()
	r := newRig(t)
	r.add("a", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{}, Body: conn}, nil
	})
	a := r.carried(nil)
	socket, ok := a.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("the body is a %T", a.Body)
	}
	return a, socket
}

// closeFrame returns a close frame with a payload of the given size.
func closeFrame(masked bool, size int) []byte {
	b := []byte{0x88, byte(size)}
	if masked {
		b[1] |= 0x80
		b = append(b, 1, 2, 3, 4)
	}
	return append(b, bytes.Repeat([]byte("x"), size)...)
}

// The frame with which Caddy drains: masked, with status 1001.
var goingAway = []byte{0x88, 0x82, 1, 2, 3, 4, 1 ^ 0x03, 2 ^ 0xE9}

type step func(io.ReadWriteCloser)

// What a proxy does with a connection. read goes on until the backend's end.
var (
	read      step = func(s io.ReadWriteCloser) { _, _ = io.Copy(struct{ io.Writer }{io.Discard}, s) }
	closeIt   step = func(s io.ReadWriteCloser) { _ = s.Close() }
	closeHalf step = func(s io.ReadWriteCloser) { _ = s.(interface{ CloseWrite() error }).CloseWrite() }
)

func write(parts ...[]byte) step {
	return func(s io.ReadWriteCloser) {
		for _, p := range parts {
			_, _ = s.Write(p)
		}
	}
}

// The first end counts, and a close frame in either direction before it.
func TestSocketEnd(t *testing.T) {
	errBroken := errors.New("broken pipe")
	text := append([]byte{0x81, 126, 1, 0}, bytes.Repeat([]byte("x"), 256)...)
	bye, theirs := closeFrame(true, 2), closeFrame(false, 2)
	ends := func(parts ...[]byte) scripted { return scripted{reads: parts, end: io.EOF} }
	tests := []struct {
		name  string
		conn  scripted
		steps []step
		want  relay.SocketEnd
	}{
		{"backend closes", ends(text, theirs), []step{read, closeIt}, relay.SocketClosed},
		{"backend closes within one read", ends(slices.Concat(text, theirs)), []step{read, closeIt}, relay.SocketClosed},
		{"backend closes, client leaves", ends(theirs), []step{read, closeHalf, closeIt}, relay.SocketClosed},
		{"close frame over two reads", ends(text, theirs[:1], theirs[1:]), []step{read, closeIt}, relay.SocketClosed},
		{"backend closes with a mask", ends(bye), []step{read, closeIt}, relay.SocketCut},
		{"client closes", ends(text), []step{write(text, bye), read, closeIt}, relay.SocketClosed},
		{"client closes within one write", scripted{}, []step{write(slices.Concat(text, bye)), closeIt}, relay.SocketClosed},
		{"close frame over two writes", scripted{}, []step{write(text, bye[:3], bye[3:]), closeIt}, relay.SocketClosed},
		{"half a close frame", scripted{}, []step{write(text, bye[:3]), closeIt}, relay.SocketLeft},
		{"client closes without a mask", scripted{}, []step{write(theirs), closeIt}, relay.SocketLeft},
		{"client closes what takes nothing more", scripted{refuses: errBroken}, []step{write(bye), closeIt}, relay.SocketClosed},
		{"client closes what is gone", ends(), []step{read, write(bye), closeIt}, relay.SocketCut},
		{"drain", scripted{}, []step{write(text, goingAway), closeIt}, relay.SocketClosed},
		{"drain within a frame", scripted{end: errBroken}, []step{write(text[:50], goingAway), closeIt, read}, relay.SocketClosed},
		{"backend hangs up", ends(text), []step{read, closeHalf, closeIt}, relay.SocketCut},
		{"backend is reset", scripted{end: errBroken}, []step{read, closeIt}, relay.SocketCut},
		{"backend takes nothing more", scripted{refuses: errBroken}, []step{write(text), closeIt}, relay.SocketCut},
		{"client's half ends", ends(), []step{closeHalf, read, closeIt}, relay.SocketLeft},
		{"client is gone", scripted{end: errBroken}, []step{write(text), closeIt, read}, relay.SocketLeft},
		{"proxy has not closed it yet", scripted{}, nil, relay.SocketLeft},
		{"data after what looks like a close frame", scripted{}, []step{write(bye, text), closeIt}, relay.SocketLeft},
		{"no close frame in the tail", ends([]byte{0x88, 3, 1, 2}), []step{read, closeIt}, relay.SocketCut},
		{"empty", ends(), []step{read, closeIt}, relay.SocketCut},
		{"empty writes", scripted{}, []step{write(nil, []byte{}), closeIt}, relay.SocketLeft},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, socket := upgradedTo(t, &tt.conn)
			for _, step := range tt.steps {
				step(socket)
			}
			if got := a.SocketEnd(); got != tt.want || a.SocketEnd() != got {
				t.Errorf("got %d, then %d, want %d", got, a.SocketEnd(), tt.want)
			}
		})
	}
}

// Close frames of all sizes are found, however much came before, and frames that
// are too long to be one are not.
func TestSocketEndBySize(t *testing.T) {
	for size := range 128 {
		for _, before := range []int{0, 1, 100, 1000} {
			want, data := relay.SocketClosed, bytes.Repeat([]byte("x"), before)
			if size > 125 {
				want = relay.SocketLeft
			}
			a, socket := upgradedTo(t, &scripted{})
			write(data, closeFrame(true, size))(socket)
			if got := a.SocketEnd(); got != want {
				t.Errorf("%d bytes sent after %d: got %d, want %d", size, before, got, want)
			}
			a, socket = upgradedTo(t, &scripted{reads: [][]byte{append(data, closeFrame(false, size)...)}})
			_, _ = socket.Read(make([]byte, 2000))
			if got := a.SocketEnd(); got != want {
				t.Errorf("%d bytes received after %d: got %d, want %d", size, before, got, want)
			}
		}
	}
}

// A half is closed where there are halves. Elsewhere the proxy gets net/http's
// error.
func TestSocketHalves(t *testing.T) {
	conn := new(scripted)
	for _, tt := range []struct {
		conn io.ReadWriteCloser
		want error
	}{{conn, nil}, {struct{ io.ReadWriteCloser }{conn}, http.ErrNotSupported}} {
		_, socket := upgradedTo(t, tt.conn)
		half, ok := socket.(interface{ CloseWrite() error })
		if !ok {
			t.Fatalf("%T has no halves", socket)
		}
		if err := half.CloseWrite(); !errors.Is(err, tt.want) {
			t.Errorf("got %v, want %v", err, tt.want)
		}
	}
	if conn.halves != 1 {
		t.Errorf("closed %d times", conn.halves)
	}
}

// Caddy writes its own frame while the client sends, and reads all the while.
func TestSocketFromAllSides(t *testing.T) {
	ours, theirs := net.Pipe()
	a, socket := upgradedTo(t, ours)
	done := make(chan struct{}, 3)
	side := func(f func()) {
		go func() {
			f()
			done <- struct{}{}
		}()
	}
	side(func() { _, _ = io.Copy(io.Discard, theirs) })
	side(func() { _, _ = io.Copy(io.Discard, socket) })
	sent := make(chan struct{})
	side(func() {
		for range 1000 {
			_, _ = socket.Write([]byte{0x81, 1, 'x'})
		}
		close(sent)
	})
	_, _ = theirs.Write([]byte{0x81, 1, 'x'})
	_, _ = socket.Write(closeFrame(true, 2))
	<-sent
	_, _ = socket.Write(goingAway)
	_ = socket.Close()
	_ = theirs.Close()
	for range cap(done) {
		<-done
	}
	if got := a.SocketEnd(); got != relay.SocketClosed {
		t.Errorf("got %d", got)
	}
}

func TestSocketAllocatesNothing(t *testing.T) {
	for _, size := range []int{10, 32 << 10} {
		p := make([]byte, size)
		_, socket := upgradedTo(t, endless{})
		if n := testing.AllocsPerRun(20, func() { _, _ = socket.Read(p) }); n != 0 {
			t.Errorf("%v allocations for a read of %d bytes", n, size)
		}
		if n := testing.AllocsPerRun(20, func() { _, _ = socket.Write(p) }); n != 0 {
			t.Errorf("%v allocations for a write of %d bytes", n, size)
		}
	}
}

// endless is a backend that always has as much as fits, and takes all.
type endless struct{}

func (endless) Read(p []byte) (int, error)  { return len(p), nil }
func (endless) Write(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error                { return nil }
