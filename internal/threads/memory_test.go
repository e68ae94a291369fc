package threads_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

var (
	ann = threads.Owner{Scope: "s", Caller: "ann"}
	ben = threads.Owner{Scope: "s", Caller: "ben"}
)

// small are bounds that tests reach.
var small = threads.Bounds{
	Threads: 6, Owned: 3, Items: 4, Bytes: 20_000, OwnedBytes: 6_000, ThreadBytes: 4_000, Life: time.Hour,
}

// inMemory runs a test with a store and a clock of its own.
func inMemory(t *testing.T, test func(t *testing.T, m *threads.Memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := threads.NewMemory(small)
		defer m.Close()
		test(t, m)
	})
}

// put adds a thread, a second after the one before.
func put(t *testing.T, m *threads.Memory, o threads.Owner, id string, stranger bool) {
	t.Helper()
	time.Sleep(time.Second)
	if err := m.Put(t.Context(), o, &threads.Thread{ID: id, Created: time.Now(), Stranger: stranger}); err != nil {
		t.Fatal(err)
	}
}

// say adds an item to a thread.
func say(t *testing.T, m *threads.Memory, o threads.Owner, id, text string) error {
	t.Helper()
	return m.Update(t.Context(), threads.Key{Owner: o, ID: id}, func(th *threads.Thread) error {
		th.Items = append(th.Items, threads.Item{ID: "msg_" + text, Role: standin.User, Text: text, At: time.Now(), Missed: true})
		return nil
	})
}

// ids returns the ids of an owner's threads.
func ids(t *testing.T, m *threads.Memory, o threads.Owner) string {
	t.Helper()
	all, err := m.List(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(all))
	for i, th := range all {
		names[i] = th.ID
	}
	return strings.Join(names, " ")
}

// Nobody sees, changes or deletes what is another's, not even with its id.
func TestOwners(t *testing.T) {
	inMemory(t, func(t *testing.T, m *threads.Memory) {
		t.Helper()
		put(t, m, ann, "a", false)
		others := threads.Owner{Scope: "other", Caller: "ann"}
		for _, o := range []threads.Owner{ben, others} {
			k := threads.Key{Owner: o, ID: "a"}
			if _, err := m.Get(t.Context(), k); !errors.Is(err, threads.ErrGone) {
				t.Errorf("%v gets it: %v", o, err)
			}
			if err := say(t, m, o, "a", "x"); !errors.Is(err, threads.ErrGone) {
				t.Errorf("%v changes it: %v", o, err)
			}
			if err := m.Delete(t.Context(), k); err != nil || ids(t, m, o) != "" {
				t.Errorf("%v: %v, has %q", o, err, ids(t, m, o))
			}
			put(t, m, o, "a", false)
			_ = say(t, m, o, "a", "mine")
		}
		th, err := m.Get(t.Context(), threads.Key{Owner: ann, ID: "a"})
		if err != nil || len(th.Items) != 0 {
			t.Errorf("got %+v, %v", th, err)
		}
	})
}

// What is deleted is gone, and no turn that still runs brings it back.
func TestDelete(t *testing.T) {
	inMemory(t, func(t *testing.T, m *threads.Memory) {
		t.Helper()
		put(t, m, ann, "a", false)
		_ = say(t, m, ann, "a", "secret")
		k := threads.Key{Owner: ann, ID: "a"}
		_ = m.Delete(t.Context(), k)
		if err := say(t, m, ann, "a", "late"); !errors.Is(err, threads.ErrGone) {
			t.Errorf("update: %v", err)
		}
		missed, _ := m.Missed(t.Context(), "s", 10)
		if n, bytes := m.Size(); n != 0 || bytes != 0 || len(missed) != 0 {
			t.Errorf("%d threads of %d bytes are left, %v", n, bytes, missed)
		}
	})
}

// Where there are too many, a caller's own oldest go first, then strangers'.
func TestTooMany(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(t *testing.T, m *threads.Memory)
		want [3]string // of ann, ben and a third
	}{
		"of one caller": {func(t *testing.T, m *threads.Memory) {
			t.Helper()
			put(t, m, ben, "b", false)
			for i := range 9 {
				put(t, m, ann, fmt.Sprint(i), false)
			}
		}, [3]string{"6 7 8", "b", ""}},
		"changed is young": {func(t *testing.T, m *threads.Memory) {
			t.Helper()
			for _, id := range []string{"0", "1", "2"} {
				put(t, m, ann, id, false)
			}
			_ = say(t, m, ann, "0", "x")
			put(t, m, ann, "3", false)
		}, [3]string{"0 2 3", "", ""}},
		"strangers first": {func(t *testing.T, m *threads.Memory) {
			t.Helper()
			put(t, m, ann, "a", false)
			for i := range 9 {
				put(t, m, threads.Owner{Scope: "s", Caller: fmt.Sprint("stranger ", i)}, "x", true)
			}
			put(t, m, ben, "b", false)
		}, [3]string{"a", "b", ""}},
		"then anybody": {func(t *testing.T, m *threads.Memory) {
			t.Helper()
			put(t, m, ann, "a", false)
			for i := range 6 {
				put(t, m, threads.Owner{Scope: "s", Caller: fmt.Sprint("c", i)}, "x", false)
			}
		}, [3]string{"", "", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, m *threads.Memory) {
				t.Helper()
				tt.do(t, m)
				got := [3]string{ids(t, m, ann), ids(t, m, ben), ids(t, m, threads.Owner{Scope: "s", Caller: "c5"})}
				if n, _ := m.Size(); got != tt.want || n > small.Threads {
					t.Errorf("got %q, want %q, %d in all", got, tt.want, n)
				}
			})
		})
	}
}

// Items and bytes are bounded: of a thread, of a caller, in all.
func TestTooLong(t *testing.T) {
	inMemory(t, func(t *testing.T, m *threads.Memory) {
		t.Helper()
		put(t, m, ann, "a", false)
		for i := range 9 {
			_ = say(t, m, ann, "a", fmt.Sprint(i))
		}
		th, _ := m.Get(t.Context(), threads.Key{Owner: ann, ID: "a"})
		if len(th.Items) != small.Items || th.Items[3].Text != "8" {
			t.Errorf("items %+v", th.Items)
		}
		put(t, m, ann, "b", false)
		for range 3 {
			_ = say(t, m, ann, "b", strings.Repeat("x", 1500))
			_ = say(t, m, ann, "a", strings.Repeat("y", 1500))
		}
		if _, bytes := m.Size(); bytes > small.OwnedBytes || bytes < 1500 {
			t.Errorf("%d bytes of one caller", bytes)
		}
		for i := range 30 {
			o := threads.Owner{Scope: "s", Caller: fmt.Sprint(i)}
			put(t, m, o, "a", i%2 == 0)
			_ = say(t, m, o, "a", strings.Repeat("z", 3000))
			if n, bytes := m.Size(); bytes > small.Bytes || n > small.Threads {
				t.Fatalf("%d threads of %d bytes", n, bytes)
			}
		}
	})
}

// Nothing outlives its time, whether or not anybody asks.
func TestLife(t *testing.T) {
	inMemory(t, func(t *testing.T, m *threads.Memory) {
		t.Helper()
		put(t, m, ann, "a", false)
		time.Sleep(small.Life / 2)
		put(t, m, ann, "b", true)
		_ = say(t, m, ann, "a", "x") // lives on
		time.Sleep(small.Life/2 + time.Minute)
		if got := ids(t, m, ann); got != "a b" {
			t.Errorf("has %q", got)
		}
		time.Sleep(small.Life)
		synctest.Wait()
		if n, bytes := m.Size(); n != 0 || bytes != 0 {
			t.Errorf("%d threads of %d bytes are left", n, bytes)
		}
		put(t, m, ann, "c", false)
		time.Sleep(small.Life)
		synctest.Wait()
		if n, _ := m.Size(); n != 0 {
			t.Errorf("%d threads are left", n)
		}
	})
}

// A change that fails changes nothing, and what was returned is the caller's own.
func TestCopies(t *testing.T) {
	inMemory(t, func(t *testing.T, m *threads.Memory) {
		t.Helper()
		put(t, m, ann, "a", false)
		_ = say(t, m, ann, "a", "x")
		k := threads.Key{Owner: ann, ID: "a"}
		th, _ := m.Get(t.Context(), k)
		th.Items[0].Text, th.Title = "changed", "changed"
		refused := errors.New("refused")
		err := m.Update(t.Context(), k, func(th *threads.Thread) error {
			th.Items[0].Text, th.Title = "changed", "changed"
			return refused
		})
		if got, _ := m.Get(t.Context(), k); !errors.Is(err, refused) || got.Title != "" || got.Items[0].Text != "x" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// Missed returns the threads of a scope that have something to hand back.
func TestMissed(t *testing.T) {
	inMemory(t, func(t *testing.T, m *threads.Memory) {
		t.Helper()
		put(t, m, ann, "a", false)
		put(t, m, ann, "b", false)
		put(t, m, threads.Owner{Scope: "other"}, "c", false)
		_ = say(t, m, ann, "b", "x")
		_ = say(t, m, threads.Owner{Scope: "other"}, "c", "x")
		keys, err := m.Missed(context.Background(), "s", 10)
		if err != nil || len(keys) != 1 || keys[0] != (threads.Key{Owner: ann, ID: "b"}) {
			t.Errorf("got %v, %v", keys, err)
		}
	})
}

// The history ends with the message that is to be answered.
func TestHistory(t *testing.T) {
	item := func(role standin.Role, text string) threads.Item { return threads.Item{Role: role, Text: text} }
	for name, tt := range map[string]struct {
		items []threads.Item
		want  string
	}{
		"empty":         {nil, ""},
		"one":           {[]threads.Item{item("user", "a")}, "a"},
		"answer behind": {[]threads.Item{item("user", "a"), item("assistant", "b")}, "a"},
		"all":           {[]threads.Item{item("user", "a"), item("assistant", "b"), item("user", "c")}, "a b c"},
		"no user":       {[]threads.Item{item("assistant", "b")}, ""},
	} {
		th := threads.Thread{Items: tt.items}
		var got []string //nolint:prealloc // names of a few
		for _, m := range th.History() {
			got = append(got, m.Text)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	th := threads.Thread{ID: threads.Prefix + "1", Items: []threads.Item{item("user", "a"), item("assistant", "b")}}
	all := threads.Protocol(th.Items, th.ID)
	if _, ok := all[0].(chatkit.UserMessage); !ok || !th.Own() || len(all) != 2 {
		t.Errorf("got %+v", all)
	}
}
