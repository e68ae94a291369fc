package fleet_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/fleet"
)

const key = "0123456789abcdef0123456789abcdef"

// instance is an instance of a test, and what it has learned.
type instance struct {
	*fleet.Fleet
	*fleet.Member

	mu      sync.Mutex
	learned []fleet.Fact
	own     []fleet.Fact
	seen    map[string]int
	up      bool
}

func (i *instance) Learn(f fleet.Fact) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.learned = append(i.learned, f)
}

func (i *instance) Know() []fleet.Fact {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.own
}

func (*instance) Status() fleet.Status { return fleet.Status{State: "closed", For: time.Minute} }

func (i *instance) count(what string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen[what]++
}

func (i *instance) Sent(k fleet.Kind)     { i.count("sent " + string(k)) }
func (i *instance) Received(k fleet.Kind) { i.count("received " + string(k)) }
func (i *instance) Dropped(k fleet.Kind)  { i.count("dropped " + string(k)) }
func (i *instance) Looked(r fleet.Result) { i.count("looked " + string(r)) }
func (i *instance) Lag(time.Duration)     { i.count("lag") }
func (i *instance) Strange(error)         { i.count("strange") }
func (i *instance) Up(up bool, _ error)   { i.mu.Lock(); defer i.mu.Unlock(); i.up = up }
func (i *instance) saw(what string) int   { i.mu.Lock(); defer i.mu.Unlock(); return i.seen[what] }
func (i *instance) facts() []fleet.Fact   { i.mu.Lock(); defer i.mu.Unlock(); return i.learned }
func (i *instance) found(f ...fleet.Fact) { i.mu.Lock(); defer i.mu.Unlock(); i.own = f }
func (i *instance) is() bool              { i.mu.Lock(); defer i.mu.Unlock(); return i.up }

func join(t *testing.T, m *memory, key string) *instance {
	t.Helper()
	codec, err := fleet.NewCodec(key)
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{seen: make(map[string]int)}
	i.Fleet = fleet.New(m, codec, fleet.Settings{Prefix: "chatkit", Timeout: fleet.DefaultTimeout, Name: "host"}, i)
	i.Member = i.Join("subject", i, fleet.Opened, fleet.Cooled, fleet.Forced)
	return i
}

// tester is the test of a scene.
type tester struct{ *testing.T }

// scenes runs each of the scenes with two instances that share an engine.
func scenes(t *testing.T, all map[string]func(t *tester, m *memory, here, there *instance)) {
	t.Helper()
	for name, scene := range all {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				here, there := join(t, m, key), join(t, m, key)
				synctest.Wait()
				time.Sleep(time.Second)
				if !here.is() || !there.is() {
					t.Fatal("not connected")
				}
				scene(&tester{t}, m, here, there)
				for _, i := range []*instance{here, there} {
					if err := i.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

var opened = fleet.Fact{Kind: fleet.Opened, Left: 15 * time.Second, Nominal: 15 * time.Second, Reason: "dial"}

func TestFacts(t *testing.T) {
	scenes(t, map[string]func(t *tester, m *memory, here, there *instance){
		"are learned at once, by others only": func(t *tester, _ *memory, here, there *instance) {
			here.Tell(opened)
			synctest.Wait()
			if got := there.facts(); len(got) != 1 || got[0] != opened {
				t.Errorf("learned %+v", got)
			}
			if len(here.facts()) != 0 || here.saw("lag") != 1 || here.saw("sent open") != 1 || there.saw("received open") != 1 {
				t.Errorf("learned %+v, seen %v and %v", here.facts(), here.seen, there.seen)
			}
		},
		"are kept for who comes later, for what is left of their time": func(t *tester, m *memory, here, _ *instance) {
			here.Tell(opened)
			time.Sleep(5 * time.Second)
			late := join(t.T, m, key)
			time.Sleep(time.Second)
			if got := late.facts(); len(got) == 0 || got[0].Left > 10*time.Second || got[0].Left < 8*time.Second || got[0].Reason != "dial" {
				t.Errorf("learned %+v", got)
			}
			_ = late.Close()
		},
		"the later deadline wins": func(t *tester, m *memory, here, there *instance) {
			here.Tell(opened)
			short := opened
			short.Left = time.Second
			there.Tell(short)
			synctest.Wait()
			late := join(t.T, m, key)
			time.Sleep(500 * time.Millisecond)
			if got := late.facts(); len(got) == 0 || got[0].Left < 14*time.Second {
				t.Errorf("learned %+v", got)
			}
			_ = late.Close()
		},
		"closed removes what was kept": func(t *tester, m *memory, here, _ *instance) {
			here.Tell(opened)
			here.Tell(fleet.Fact{Kind: fleet.Closed})
			synctest.Wait()
			if strings.Contains(m.text(), ":open") {
				t.Errorf("kept %q", m.text())
			}
		},
		"the later command wins, whenever it arrives": func(t *tester, m *memory, here, there *instance) {
			here.Tell(fleet.Fact{Kind: fleet.Released, Age: time.Second})
			there.Tell(fleet.Fact{Kind: fleet.Forced, State: "forced_open", Left: time.Hour, Age: time.Minute})
			synctest.Wait()
			late := join(t.T, m, key)
			time.Sleep(time.Second)
			if got := late.facts(); len(got) == 0 || got[0].Kind != fleet.Released {
				t.Errorf("learned %+v", got)
			}
			_ = late.Close()
		},
		"who was away learns the later command, and tells no older one": func(t *tester, _ *memory, here, there *instance) {
			here.found(fleet.Fact{Kind: fleet.Forced, State: "forced_open", Left: time.Hour, Age: time.Minute})
			there.Tell(fleet.Fact{Kind: fleet.Released})
			time.Sleep(7 * time.Second)
			if got := here.facts(); len(got) < 2 || got[len(got)-1].Kind != fleet.Released {
				t.Errorf("learned %+v", got)
			}
			if here.saw("sent forced") != 0 || len(there.facts()) == 0 || there.facts()[0].Kind != fleet.Released {
				t.Errorf("told %d times, %v", here.saw("sent forced"), there.facts())
			}
		},
		"are told again after a flush, by who has found them out": func(t *tester, m *memory, here, there *instance) {
			here.found(opened)
			here.Tell(opened)
			synctest.Wait()
			m.flush()
			time.Sleep(7 * time.Second)
			if !strings.Contains(m.text(), ":open") {
				t.Errorf("kept %q", m.text())
			}
			if got := len(there.facts()); got < 2 {
				t.Errorf("learned %d facts", got)
			}
		},
		"are told when the store is back": func(t *tester, m *memory, here, there *instance) {
			m.set(true, 0)
			here.found(opened)
			here.Tell(opened)
			time.Sleep(3 * time.Second)
			if here.is() || here.saw("dropped open") != 1 || len(there.facts()) != 0 {
				t.Errorf("up %v, seen %v, learned %v", here.is(), here.seen, there.facts())
			}
			m.set(false, 0)
			time.Sleep(3 * time.Second)
			if !here.is() || len(there.facts()) == 0 {
				t.Errorf("up %v, learned %v", here.is(), there.facts())
			}
		},
		"of another key are not learned, and that is noticed": func(t *tester, m *memory, here, there *instance) {
			other := join(t.T, m, strings.ToUpper(key))
			time.Sleep(time.Second)
			other.Tell(opened)
			synctest.Wait()
			if len(here.facts())+len(there.facts()) != 0 || here.saw("strange") == 0 {
				t.Errorf("learned %v and %v, seen %v", here.facts(), there.facts(), here.seen)
			}
			_ = other.Close()
		},
		"nothing can be read": func(t *tester, m *memory, here, _ *instance) {
			here.Tell(fleet.Fact{Kind: fleet.Forced, State: "forced_open", Left: time.Hour, Reason: "planted", By: "planted"})
			here.Keep(fleet.Session, here.Name("planted"), []byte("planted"), time.Hour, fleet.Always)
			synctest.Wait()
			if text := m.text(); strings.Contains(text, "planted") || len(text) < 100 {
				t.Errorf("kept %q", text)
			}
		},
		"instances are on the roll until they leave": func(t *tester, _ *memory, here, there *instance) {
			time.Sleep(10 * time.Second)
			list, err := here.Instances(t.Context())
			if err != nil || len(list) != 2 || list[0].Name != "host" || list[0].State != "closed" || list[0].Self == list[1].Self {
				t.Errorf("got %v %+v", err, list)
			}
			there.Leave()
			if list, _ = here.Instances(t.Context()); len(list) != 1 {
				t.Errorf("got %+v", list)
			}
		},
	})
}

func TestLease(t *testing.T) {
	scenes(t, map[string]func(t *tester, m *memory, here, there *instance){
		"one has it, until it is over": func(t *tester, _ *memory, here, there *instance) {
			if !here.Probe(3*time.Second) || there.Probe(3*time.Second) || !here.Holds() || there.Holds() {
				t.Error("not one has it")
			}
			asked := there.saw("looked miss")
			if there.Probe(3*time.Second) || there.saw("looked miss") != asked {
				t.Error("it was asked for again while somebody else has it")
			}
			time.Sleep(3*time.Second + 1)
			if !there.Probe(3 * time.Second) {
				t.Error("who has died keeps it")
			}
		},
		"the result of the probe ends it": func(t *tester, _ *memory, here, there *instance) {
			here.Probe(0)
			there.Probe(0)
			here.Tell(opened)
			synctest.Wait()
			if here.Holds() || !there.Probe(0) {
				t.Error("it is not over")
			}
		},
		"it is given back": func(t *tester, _ *memory, here, there *instance) {
			here.Probe(0)
			there.Probe(0)
			here.Free()
			synctest.Wait()
			if !there.Probe(0) {
				t.Error("it was not given back")
			}
		},
		"without the store each may": func(t *tester, m *memory, here, there *instance) {
			m.set(true, 0)
			time.Sleep(2 * time.Second)
			if !here.Probe(0) || !there.Probe(0) {
				t.Error("nobody would ever probe")
			}
		},
	})
}

func TestLookUps(t *testing.T) {
	scenes(t, map[string]func(t *tester, m *memory, here, there *instance){
		"find what another instance has kept": func(t *tester, _ *memory, here, there *instance) {
			here.Keep(fleet.Session, "s", []byte("b"), time.Hour, fleet.Always)
			synctest.Wait()
			if got, r := there.Get(t.Context(), fleet.Session, "s"); r != fleet.Hit || string(got) != "b" {
				t.Errorf("got %q %s", got, r)
			}
			if got, r := there.Get(t.Context(), fleet.Session, "t"); r != fleet.Miss || got != nil {
				t.Errorf("got %q %s", got, r)
			}
		},
		"wait no longer than the limit, and stop while the store is slow": func(t *tester, m *memory, here, _ *instance) {
			m.set(false, time.Minute)
			begun := time.Now()
			_, r := here.Get(t.Context(), fleet.Session, "s")
			if took := time.Since(begun); r != fleet.Slow || took != fleet.DefaultTimeout {
				t.Errorf("%s after %s", r, took)
			}
			time.Sleep(100 * time.Millisecond)
			begun = time.Now()
			if _, r = here.Get(t.Context(), fleet.Session, "s"); r != fleet.Skipped || time.Since(begun) != 0 {
				t.Errorf("%s after %s", r, time.Since(begun))
			}
			m.set(false, 0)
			time.Sleep(5 * time.Second)
			if _, r = here.Get(t.Context(), fleet.Session, "s"); r != fleet.Miss {
				t.Errorf("still %s", r)
			}
		},
		"a client that leaves says nothing of the store": func(t *tester, m *memory, here, _ *instance) {
			m.set(false, 10*time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if _, r := here.Get(ctx, fleet.Session, "s"); r != fleet.Skipped {
				t.Errorf("got %s", r)
			}
			if _, r := here.Get(t.Context(), fleet.Session, "s"); r != fleet.Miss {
				t.Errorf("got %s", r)
			}
		},
		"a cancelled session is told": func(t *tester, _ *memory, here, there *instance) {
			var heard atomic.Value
			stop := there.OnCanceled(func(s string) { heard.Store(s) })
			here.Cancel("s", []byte("x"), time.Hour)
			synctest.Wait()
			if heard.Load() != "s" {
				t.Errorf("heard %v", heard.Load())
			}
			stop()
		},
		"a full queue drops, and never blocks": func(t *tester, m *memory, here, _ *instance) {
			m.set(false, time.Minute)
			for n := range 20_000 {
				here.Keep(fleet.Session, fmt.Sprint(n), nil, time.Hour, fleet.Always)
			}
			if got := here.saw("dropped session"); got < 11_000 {
				t.Errorf("%d dropped", got)
			}
			m.set(false, 0)
			time.Sleep(20 * time.Second)
		},
	})
}

// A burst for one key is two questions, however many ask.
func TestTokens(t *testing.T) {
	scenes(t, map[string]func(t *tester, m *memory, here, there *instance){
		"of a burst": func(t *tester, m *memory, here, there *instance) {
			m.set(false, time.Millisecond)
			var granted, refused, unknown atomic.Int64
			var all sync.WaitGroup
			for n := range 400 {
				i := here
				if n%2 == 1 {
					i = there
				}
				all.Go(func() {
					switch wait, known := i.Take("k", fleet.Rate{N: 100, Per: time.Minute}); {
					case !known:
						unknown.Add(1)
					case wait == 0:
						granted.Add(1)
					default:
						refused.Add(1)
					}
				})
			}
			all.Wait()
			synctest.Wait()
			if granted.Load() != 100 || refused.Load() != 300 || unknown.Load() != 0 {
				t.Errorf("%d granted, %d refused, %d unknown", granted.Load(), refused.Load(), unknown.Load())
			}
			if n := len(m.takes); n > 4 {
				t.Errorf("%d questions: %v", n, m.takes)
			}
			asked := len(m.takes)
			if wait, known := here.Take("k", fleet.Rate{N: 100, Per: time.Minute}); !known || wait <= 0 || len(m.takes) != asked {
				t.Errorf("got %s %v after %d questions", wait, known, len(m.takes)-asked)
			}
		},
		"unknown after the end": func(t *tester, _ *memory, here, _ *instance) {
			_ = here.Close()
			if _, known := here.Take("k", fleet.Rate{N: 1, Per: time.Minute}); known {
				t.Error("known")
			}
		},
		"unknown without the store": func(t *tester, m *memory, here, _ *instance) {
			m.set(true, 0)
			if _, known := here.Take("k", fleet.Rate{N: 1, Per: time.Minute}); known {
				t.Error("known")
			}
		},
	})
}
