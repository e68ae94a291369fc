package threads_test

import (
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Many callers at once stay within the bounds, and the sums stay true.
func TestConcurrent(t *testing.T) {
	m := threads.NewMemory(small)
	defer m.Close()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			o := threads.Owner{Scope: "s", Caller: fmt.Sprint(i % 4)}
			for n := range 200 {
				id := fmt.Sprint(n % 5)
				_ = m.Put(t.Context(), o, &threads.Thread{ID: id, Stranger: i%2 == 0})
				_ = say(t, m, o, id, "x")
				_, _ = m.List(t.Context(), o)
				_, _ = m.Missed(t.Context(), "s", 3)
				if n%7 == 0 {
					_ = m.Delete(t.Context(), threads.Key{Owner: o, ID: id})
				}
			}
		})
	}
	all.Wait()
	if n, bytes := m.Size(); n > small.Threads || bytes > small.Bytes {
		t.Errorf("%d threads of %d bytes", n, bytes)
	}
	for i := range 4 {
		for n := range 5 {
			_ = m.Delete(t.Context(), threads.Key{Owner: threads.Owner{Scope: "s", Caller: fmt.Sprint(i)}, ID: fmt.Sprint(n)})
		}
	}
	if n, bytes := m.Size(); n != 0 || bytes != 0 {
		t.Errorf("%d threads of %d bytes are left", n, bytes)
	}
}
