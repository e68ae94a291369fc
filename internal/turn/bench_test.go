package turn_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
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

// The memory of a turn that waits for its backend, with its client, beside that of a
// copy: a buffer of 32 KiB and a goroutine.
func BenchmarkOpen(b *testing.B) {
	const n = 5000
	for name, open := range map[string]func(turns *turn.Turns, i int, from io.ReadCloser){
		"copy": func(_ *turn.Turns, _ int, from io.ReadCloser) {
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from}, make([]byte, 32<<10))
		},
		"turn": func(turns *turn.Turns, i int, from io.ReadCloser) {
			r := &turn.Request{
				Asker: turn.Asker{Caller: "alice", Frame: fmt.Sprint(i)}, Options: turn.Options{Finish: time.Minute, Attach: true},
				Ask: func(context.Context, turn.End) (*turn.Answer, error) { return &turn.Answer{Body: from}, nil },
			}
			r.Key = r.KeyOf(nil)
			c, err := turns.Do(b.Context(), r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 32<<10))
			_ = c.Close()
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				turns, over := turn.New(), make(chan struct{})
				before := memory()
				var all sync.WaitGroup
				for i := range n {
					all.Go(func() { open(turns, i, &waiting{over: over}) })
				}
				time.Sleep(500 * time.Millisecond)
				b.ReportMetric(float64(memory()-before)/n, "B/turn")
				close(over)
				all.Wait()
				turns.Close()
			}
		})
	}
}

// waiting is a stream of one frame, and then of none until it is over.
type waiting struct {
	over chan struct{}
	sent bool
}

func (w *waiting) Read(p []byte) (int, error) {
	if !w.sent {
		w.sent = true
		return copy(p, added), nil
	}
	<-w.over
	return 0, io.EOF
}

func (*waiting) Close() error { return nil }

// memory is what is in use of heap and stacks.
func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
