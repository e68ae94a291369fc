package turn_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

const deltaFrame = `data: {"type":"thread.item.updated","item_id":"msg_5d137110","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":" Hello"}}` + "\n\n"

// deltas is a stream of n frames that come one by one.
type deltas struct{ n, at int }

func (d *deltas) Read(p []byte) (int, error) {
	if d.at == d.n {
		return 0, io.EOF
	}
	d.at++
	return copy(p, deltaFrame), nil
}

func (*deltas) Close() error { return nil }

// The cost of a frame of a turn with one client, beside that of a copy. What a frame
// costs on its way through the kernel, twice, is not in either.
func BenchmarkFrame(b *testing.B) {
	b.Run("copy", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(deltaFrame)))
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, &deltas{n: b.N}, make([]byte, 32<<10))
	})
	for name, options := range map[string]turn.Options{
		"turn":          {},
		"finish":        {Finish: time.Minute},
		"attach":        {Finish: time.Minute, Attach: true},
		"attach+guards": {Finish: time.Minute, Attach: true, FirstToken: time.Minute, Parallel: 3},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(deltaFrame)))
			turns := turn.New()
			defer turns.Close()
			// Turns of 1000 frames, as those of a long answer.
			for left := b.N; left > 0; left -= 1000 {
				r := &turn.Request{
					Asker: turn.Asker{Caller: "alice", Frame: "f"}, Options: options,
					Ask: func(context.Context, turn.End) (*turn.Answer, error) {
						return &turn.Answer{Body: &deltas{n: min(left, 1000)}}, nil
					},
				}
				r.Key = r.KeyOf([]byte("Hi"))
				c, err := turns.Do(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 32<<10)); err != nil {
					b.Fatal(err)
				}
				_ = c.Close()
			}
		})
	}
}
