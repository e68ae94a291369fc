package relay_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// halves is one of which each direction can be closed by itself.
type halves struct {
	scripted
	closed int
}

func (c *halves) CloseWrite() error {
	c.closed++
	return nil
}

// upgradedTo is a connection as the proxy gets it, and the answer it came with.
func upgradedTo(tb testing.TB, conn io.ReadWriteCloser) (*relay.Answer, io.ReadWriteCloser) {
	tb.Helper()
	r := rig{Relay: relay.Relay{FirstByte: firstByte, Idle: idle}}
	if t, ok := tb.(*testing.T); ok {
		r.t = t
	}
	r.add("a", func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{}, Body: conn}, nil
	})
	a, err := r.Carry(post(tb.Context(), nil), &r)
	if err != nil {
		tb.Fatal(err)
	}
	socket, ok := a.Body.(io.ReadWriteCloser)
	if !ok {
		tb.Fatalf("the body is a %T", a.Body)
	}
	return a, socket
}

// received is how a connection ends whose backend sends these parts and hangs up.
func received(t *testing.T, parts ...[]byte) relay.SocketEnd {
	t.Helper()
	a, socket := upgradedTo(t, &scripted{reads: parts, end: io.EOF})
	_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, socket, make([]byte, 64<<10))
	_ = socket.Close()
	return a.SocketEnd()
}

// sent is how one ends whose client sends these parts and is gone.
func sent(t *testing.T, parts ...[]byte) relay.SocketEnd {
	t.Helper()
	a, socket := upgradedTo(t, &scripted{})
	for _, p := range parts {
		_, _ = socket.Write(p)
	}
	_ = socket.Close()
	return a.SocketEnd()
}

// frame is a WebSocket frame. Its payload, and its mask, look like frames that close.
func frame(first byte, size int, masked bool) []byte {
	b := []byte{first, 0}
	switch {
	case size < 126:
		b[1] = byte(size)
	case size < 1<<16:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(size))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, uint64(size))
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 0x88, 0x80, 0x88, 0x80)
	}
	return append(b, bytes.Repeat([]byte{0x88, 0x80}, size/2+1)[:size]...)
}

// The first bytes of frames.
const (
	textWhole, binaryWhole, compressed = 0x81, 0x82, 0xC1
	textBegins, goesOn, ends           = 0x01, 0x00, 0x80
	closes, ping, pong                 = 0x88, 0x89, 0x8A
)

// conversations are frames of one direction that close nothing.
var conversations = map[string]func(masked bool) [][]byte{
	"nothing": func(bool) [][]byte { return nil },
	"empty":   func(masked bool) [][]byte { return [][]byte{frame(textWhole, 0, masked), frame(textWhole, 0, masked)} },
	"125":     func(masked bool) [][]byte { return [][]byte{frame(textWhole, 125, masked)} },
	"126":     func(masked bool) [][]byte { return [][]byte{frame(binaryWhole, 126, masked)} },
	"65535":   func(masked bool) [][]byte { return [][]byte{frame(binaryWhole, 65535, masked)} },
	"65536": func(masked bool) [][]byte {
		return [][]byte{frame(compressed, 65536, masked), frame(textWhole, 1, masked)}
	},
	"fragments": func(masked bool) [][]byte {
		return [][]byte{frame(textBegins, 7, masked), frame(goesOn, 200, masked), frame(ends, 3, masked)}
	},
	"control frames between fragments": func(masked bool) [][]byte {
		return [][]byte{frame(textBegins, 7, masked), frame(ping, 125, masked), frame(goesOn, 0, masked), frame(pong, 0, masked), frame(ends, 9, masked)}
	},
}

// splits are the offsets to split at: all, or around what is of interest.
func splits(b []byte) (offsets []int) {
	for i := range len(b) + 1 {
		if len(b) < 1<<10 || i < 20 || len(b)-i < 30 || i%4096 == 0 {
			offsets = append(offsets, i)
		}
	}
	return offsets
}

// A close frame is seen in either direction wherever the bytes are split, and
// from its first byte on; without one the end is that of who ended.
func TestSocketEnds(t *testing.T) {
	for name, frames := range conversations {
		for direction, end := range map[string]func(*testing.T, ...[]byte) relay.SocketEnd{"received": received, "sent": sent} {
			t.Run(name+" "+direction, func(t *testing.T) {
				none := map[string]relay.SocketEnd{"received": relay.SocketCut, "sent": relay.SocketLeft}[direction]
				open := bytes.Join(frames(direction == "sent"), nil)
				all := append(bytes.Clone(open), frame(closes, 2, direction == "sent")...)
				for _, i := range splits(all) {
					if got := end(t, all[:i], all[i:]); got != relay.SocketClosed {
						t.Errorf("split at %d: got %d, want it closed", i, got)
					}
					want := none
					if i > len(open) {
						want = relay.SocketClosed
					}
					if got := end(t, all[:i]); got != want {
						t.Errorf("ended after %d bytes of %d: got %d, want %d", i, len(all), got, want)
					}
				}
				var single [][]byte
				for i := range all {
					single = append(single, all[i:i+1])
				}
				if got := end(t, single...); got != relay.SocketClosed {
					t.Errorf("byte by byte: got %d, want it closed", got)
				}
				if got := end(t, single[:len(open)]...); got != none {
					t.Errorf("byte by byte, not closed: got %d, want %d", got, none)
				}
			})
		}
	}
}

// What is no frame says nothing, and so counts as closed.
func TestSocketOfGarbage(t *testing.T) {
	for name, garbage := range map[string][]byte{
		"text":                     []byte("cut"),
		"reserved data frame":      {0x83, 0},
		"last reserved data frame": {0x87},
		"reserved control frame":   {0x8B, 0},
		"last reserved":            {0x8F},
		"ping in fragments":        {0x09},
		"ping of 126 bytes":        {0x89, 126},
		"masked pong of 64 KiB":    {0x8A, 0x80 | 127},
		"longer than can be":       {0x82, 127, 0x80},
		"close that goes on":       {0x08, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := frame(textWhole, 126, false)
			for i := range len(garbage) + 1 {
				if got := received(t, before, garbage[:i], garbage[i:]); got != relay.SocketClosed {
					t.Errorf("split at %d: got %d", i, got)
				}
			}
			if got := sent(t, before, garbage, before); got != relay.SocketClosed {
				t.Errorf("sent: got %d", got)
			}
		})
	}
	longest := []byte{0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	if got := received(t, longest, frame(closes, 2, false)); got != relay.SocketCut {
		t.Errorf("the longest frame of all: got %d", got)
	}
}

// Who ends first has ended it; the rest is an echo.
func TestSocketEndedBy(t *testing.T) {
	errBroken := errors.New("broken pipe")
	half := frame(textWhole, 100, false)[:50]
	bye := frame(closes, 2, true)
	read := func(s io.ReadWriteCloser) { _, _ = io.Copy(struct{ io.Writer }{io.Discard}, s) }
	write := func(p []byte) func(io.ReadWriteCloser) {
		return func(s io.ReadWriteCloser) { _, _ = s.Write(p) }
	}
	closeIt := func(s io.ReadWriteCloser) { _ = s.Close() }
	closeHalf := func(s io.ReadWriteCloser) { _ = s.(interface{ CloseWrite() error }).CloseWrite() }
	tests := []struct {
		name  string
		conn  scripted
		steps []func(io.ReadWriteCloser)
		want  relay.SocketEnd
	}{
		{"backend hangs up", scripted{end: io.EOF}, steps(read, closeHalf, closeIt), relay.SocketCut},
		{"backend is reset", scripted{end: errBroken}, steps(read, closeIt), relay.SocketCut},
		{"backend hangs up within a frame", scripted{reads: [][]byte{half}, end: io.EOF}, steps(read, closeIt), relay.SocketCut},
		{"backend takes nothing more", scripted{refuses: errBroken}, steps(write(half), closeIt), relay.SocketCut},
		{"client's half ends", scripted{end: io.EOF}, steps(closeHalf, read, closeIt), relay.SocketLeft},
		{"client is gone", scripted{end: errBroken}, steps(closeIt, read), relay.SocketLeft},
		{"proxy has not closed it yet", scripted{}, steps(), relay.SocketLeft},
		{"client closes", scripted{end: io.EOF}, steps(write(bye), read, closeIt), relay.SocketClosed},
		{"client closes what takes nothing more", scripted{refuses: errBroken}, steps(write(bye), closeIt), relay.SocketClosed},
		{"client closes what is gone", scripted{end: io.EOF}, steps(read, write(bye), closeIt), relay.SocketCut},
		{"backend closes", scripted{reads: [][]byte{frame(closes, 2, false)}, end: io.EOF}, steps(read, closeIt), relay.SocketClosed},
		{"drain", scripted{}, steps(write(goingAway), closeIt), relay.SocketClosed},
		{"drain within a frame", scripted{end: errBroken}, steps(write(half), write(goingAway), closeIt, read), relay.SocketClosed},
		{"what looks nearly like it", scripted{}, steps(write(half), write(bye), closeIt), relay.SocketLeft},
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

func steps(s ...func(io.ReadWriteCloser)) []func(io.ReadWriteCloser) { return s }

// goingAway is the frame with which Caddy drains.
var goingAway = []byte{closes, 0x82, 1, 2, 3, 4, 1 ^ 0x03, 2 ^ 0xE9}

// A half is closed where there are halves, and where not the proxy is told, as
// by net/http.
func TestSocketHalves(t *testing.T) {
	conn := new(halves)
	for _, tt := range []struct {
		conn io.ReadWriteCloser
		want error
	}{{conn, nil}, {new(scripted), http.ErrNotSupported}} {
		_, socket := upgradedTo(t, tt.conn)
		half, ok := socket.(interface{ CloseWrite() error })
		if !ok {
			t.Fatalf("%T has no halves", socket)
		}
		if err := half.CloseWrite(); !errors.Is(err, tt.want) {
			t.Errorf("got %v, want %v", err, tt.want)
		}
	}
	if conn.closed != 1 {
		t.Errorf("closed %d times", conn.closed)
	}
}

// What is no connection has no end of one.
func TestNoSocket(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusSwitchingProtocols} {
		r := newRig(t)
		r.add("a", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}, nil
		})
		if got := r.carried(nil).SocketEnd(); got != relay.NoSocket {
			t.Errorf("%d: got %d", status, got)
		}
	}
}

// Caddy writes its own frame while the client sends, and reads all the while.
func TestSocketFromAllSides(t *testing.T) {
	ours, theirs := net.Pipe()
	a, socket := upgradedTo(t, ours)
	done := make(chan struct{}, 4)
	side := func(f func()) {
		go func() {
			f()
			done <- struct{}{}
		}()
	}
	side(func() { _, _ = io.Copy(io.Discard, theirs) })
	side(func() { _, _ = io.Copy(io.Discard, socket) })
	side(func() {
		for range 1000 {
			_, _ = socket.Write(frame(textWhole, 10, true))
		}
	})
	side(func() {
		_, _ = theirs.Write(frame(textWhole, 10, false))
		_, _ = socket.Write(goingAway)
		_ = socket.Close()
		_ = theirs.Close()
	})
	for range cap(done) {
		<-done
	}
	if got := a.SocketEnd(); got != relay.SocketClosed {
		t.Errorf("got %d", got)
	}
}

// Whatever bytes pass, they pass unchanged, and how they are split says nothing
// about the end.
func FuzzSocket(f *testing.F) {
	for _, masked := range []bool{false, true} {
		for _, frames := range conversations {
			b := bytes.Join(frames(masked), nil)
			f.Add(b, uint16(3))
			f.Add(append(b, frame(closes, 2, masked)...), uint16(1))
		}
	}
	f.Add(append([]byte{textWhole, 20}, goingAway...), uint16(8))
	f.Add([]byte("cut"), uint16(0))
	f.Add([]byte{0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0x88}, uint16(5))
	f.Add([]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, uint16(9))
	f.Fuzz(func(t *testing.T, stream []byte, size uint16) {
		whole := received(t, stream)
		conn := &scripted{reads: [][]byte{bytes.Clone(stream)}, end: io.EOF}
		a, socket := upgradedTo(t, conn)
		part, read := make([]byte, int(size)+1), []byte(nil)
		for {
			n, err := socket.Read(part)
			if read = append(read, part[:n]...); err != nil {
				break
			}
		}
		if end := a.SocketEnd(); end != whole || !bytes.Equal(read, stream) {
			t.Errorf("received %x of %x, ended with %d and in parts of %d with %d", read, stream, whole, len(part), end)
		}
		_, socket = upgradedTo(t, conn)
		for rest := bytes.Clone(stream); len(rest) > 0; {
			n, err := socket.Write(rest[:min(len(part), len(rest))])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if !bytes.Equal(conn.wrote, stream) {
			t.Errorf("sent %x of %x", conn.wrote, stream)
		}
	})
}

// endless is a backend that always has as much as fits, and takes all.
type endless struct{ message []byte }

func (e endless) Read(p []byte) (int, error)  { return copy(p, e.message), nil }
func (e endless) Write(p []byte) (int, error) { return len(p), nil }
func (e endless) Close() error                { return nil }

// traffic is what a read of 32 KiB finds: the middle of a large message, or
// small ones.
var traffic = map[string][]byte{
	"a large message":   append([]byte{0x82, 127, 0, 0, 0x7F, 0, 0, 0, 0, 0}, make([]byte, 32<<10-10)...),
	"messages of 1 KiB": bytes.Repeat(frame(textWhole, 1<<10-4, false), 32),
	"messages of 64 B":  bytes.Repeat(frame(textWhole, 62, false), 512),
	"empty messages":    bytes.Repeat(frame(textWhole, 0, false), 16<<10),
}

func TestSocketAllocatesNothing(t *testing.T) {
	for name, b := range traffic {
		_, socket := upgradedTo(t, endless{b})
		p := make([]byte, 32<<10)
		if n := testing.AllocsPerRun(20, func() { _, _ = socket.Read(p) }); n != 0 {
			t.Errorf("%s: %v allocations for a read", name, n)
		}
		if n := testing.AllocsPerRun(20, func() { _, _ = socket.Write(p) }); n != 0 {
			t.Errorf("%s: %v allocations for a write", name, n)
		}
	}
}

// BenchmarkSocketRead is what following costs, beside a copy of the bytes alone.
func BenchmarkSocketRead(b *testing.B) {
	for name, message := range traffic {
		_, socket := upgradedTo(b, endless{message})
		for side, r := range map[string]io.Reader{"bare": endless{message}, "followed": socket} {
			b.Run(fmt.Sprintf("%s/%s", name, side), func(b *testing.B) {
				p := make([]byte, 32<<10)
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				for b.Loop() {
					_, _ = r.Read(p)
				}
			})
		}
	}
}
