package turn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// Whatever a backend sends, in whatever pieces, and however it ends: the client gets
// its whole frames byte for byte, and then nothing, the missing end of the last one,
// or an error event.
func FuzzTurn(f *testing.F) {
	f.Add([]byte(whole), 7, false)
	f.Add([]byte(user+failure), 1000, true)
	f.Add([]byte(added+update[:30]), 1, false)
	f.Add([]byte("\r\n\r\rdata\n\n: x"), 3, true)
	f.Fuzz(func(t *testing.T, stream []byte, size int, breaks bool) {
		var src io.Reader = &pieces{stream, max(1, size)}
		if breaks {
			src = io.MultiReader(src, iotest.ErrReader(errReset))
		}
		turns := turn.New()
		defer turns.Close()
		r := &turn.Request{Asker: turn.Asker{Caller: "alice", Frame: "f1"}, Options: turn.Options{Attach: true}}
		r.Key = r.KeyOf(nil)
		r.Ask = func(context.Context, turn.End) (*turn.Answer, error) {
			return &turn.Answer{Body: io.NopCloser(src)}, nil
		}
		c, err := turns.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		frames := wholeFrames(stream)
		rest, ok := bytes.CutPrefix(got, frames)
		if !ok {
			t.Fatalf("%q became %q", stream, got)
		}
		if tail := stream[len(frames):]; len(tail) > 0 && !breaks {
			rest = bytes.TrimPrefix(rest, append(bytes.Clone(tail), "\n\n"...))
		}
		if s := string(rest); s != "" && s != broken {
			t.Errorf("%q became %q, behind its frames there is %q", stream, got, s)
		}
	})
}

// wholeFrames returns a stream up to where its last frame ends.
func wholeFrames(stream []byte) (all []byte) {
	r := chatkit.NewReader(bytes.NewReader(stream), nil)
	for {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		all = append(all, chunk...)
	}
}

// pieces is a stream that comes in pieces of one size.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
