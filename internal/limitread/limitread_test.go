package limitread_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/caddy-chatkit/caddy-chatkit/internal/limitread"
)

func TestRead(t *testing.T) {
	broken := errors.New("cut")
	tests := []struct {
		name string
		in   io.Reader
		want string
		err  error
	}{
		{"empty", strings.NewReader(""), "", nil},
		{"below the limit", strings.NewReader("abc"), "abc", nil},
		{"at the limit", strings.NewReader("abcd"), "abcd", nil},
		{"one more", strings.NewReader("abcde"), "abcde", limitread.ErrTooLarge},
		{"many more", strings.NewReader(strings.Repeat("a", 1<<20)), "aaaaa", limitread.ErrTooLarge},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("abcd")), "abcd", nil},
		{"broken", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)), "ab", broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := limitread.Read(tt.in, 4)
			defer b.Release()
			if !errors.Is(err, tt.err) {
				t.Errorf("got error %v, want %v", err, tt.err)
			}
			if got := string(b.Bytes()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A released buffer must not show what it held before.
func TestReleased(t *testing.T) {
	for _, text := range []string{"first", "second", strings.Repeat("x", 100_000), "last"} {
		b, err := limitread.Read(strings.NewReader(text), 1<<20)
		if err != nil || string(b.Bytes()) != text {
			t.Fatalf("got %d bytes and %v, want %d bytes", len(b.Bytes()), err, len(text))
		}
		b.Release()
	}
}
