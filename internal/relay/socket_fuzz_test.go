package relay

import (
	"bytes"
	"testing"
)

// Whatever bytes pass and in whatever pieces, what is kept of them is their end, and
// a close frame that is the last one is found.
func FuzzSocketTail(f *testing.F) {
	for _, seed := range []string{"", "\x88\x00", "\x88\x02\x03\xe8", "\x81\x05Hello\x88\x02\x03\xe8", "\x88\x80\x01\x02\x03\x04", "\x88\x88\x88\x88", "\x88\x7d"} {
		f.Add([]byte(seed), 3, []byte("bye"))
	}
	f.Add(bytes.Repeat([]byte{0x88, 0x00}, 200), 131, bytes.Repeat([]byte{1}, 125))
	f.Fuzz(func(t *testing.T, stream []byte, size int, reason []byte) {
		var whole tail
		for piece := range pieces(stream, size) {
			whole.add(piece)
		}
		if want := stream[max(0, len(stream)-maxClose):]; !bytes.Equal(whole.buf[:whole.n], want) {
			t.Fatalf("kept %q of %q", whole.buf[:whole.n], stream)
		}
		_, _ = whole.closes(0, 0), whole.closes(0x80, 4)
		reason = reason[:min(len(reason), 125)]
		backends, clients := whole, whole
		backends.add(append([]byte{0x88, byte(len(reason))}, reason...))
		clients.add(append([]byte{0x88, 0x80 | byte(len(reason)), 1, 2, 3, 4}, reason...))
		if !backends.closes(0, 0) || !clients.closes(0x80, 4) {
			t.Errorf("no close frame with %q behind %q", reason, stream)
		}
	})
}

// pieces yields a stream in pieces of a size.
func pieces(stream []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for size = max(1, size); len(stream) > 0; stream = stream[min(size, len(stream)):] {
			if !yield(stream[:min(size, len(stream))]) {
				return
			}
		}
	}
}
