package turn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// Many clients come and go while turns run, on many processors: each that stays has
// its whole turn, and nothing is left at the end.
func TestManyAtOnce(t *testing.T) {
	turns := turn.New()
	const kinds = 20
	answer := func(i int) string {
		return user + options + added + strings.Repeat(update, 20+i) + done
	}
	var calls atomic.Int64
	var all sync.WaitGroup
	for n := range 400 {
		all.Go(func() {
			i := n % kinds
			r := &turn.Request{
				Asker:   turn.Asker{Scope: "/chatkit", Caller: "alice", Frame: fmt.Sprint("f", i)},
				Options: turn.Options{Finish: time.Minute, Attach: true, Parallel: 1000},
				Ask: func(context.Context, turn.End) (*turn.Answer, error) {
					calls.Add(1)
					return &turn.Answer{Body: io.NopCloser(&crumbs{strings.NewReader(answer(i))})}, nil
				},
			}
			r.Key = r.KeyOf([]byte("Hi"))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c, err := turns.Do(ctx, r)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if n%3 == 0 {
				time.AfterFunc(rand.N(2*time.Millisecond), cancel)
			}
			var got bytes.Buffer
			err = c.CopyTo(&got, ctx.Err)
			if want := answer(i); err == nil && got.String() != want || !strings.HasPrefix(want, got.String()) || err != nil && n%3 != 0 {
				t.Errorf("%d bytes of %d, %v", got.Len(), len(want), err)
			}
			turns.Loads("/chatkit", "alice", "f")
			turns.Len()
		})
	}
	all.Wait()
	turns.Close()
	if all, waiting := turns.Len(); all != 0 || waiting != 0 || turns.Kept() != 0 {
		t.Errorf("%d turns, %d wait, %d bytes", all, waiting, turns.Kept())
	}
	if n := calls.Load(); n < kinds || n > 400 {
		t.Errorf("%d calls", n)
	}
}

// crumbs is a stream in pieces that end within frames.
type crumbs struct{ r io.Reader }

func (c *crumbs) Read(p []byte) (int, error) {
	time.Sleep(rand.N(20 * time.Microsecond))
	return c.r.Read(p[:min(len(p), 1+rand.IntN(300))])
}
