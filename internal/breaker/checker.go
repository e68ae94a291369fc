package breaker

import (
	"context"
	"slices"
	"sync"
	"time"
)

// checker asks for a provider's health until its breaker is closed: users are not the
// probe. It has a goroutine only for as long as there is something to ask.
type checker struct {
	b *Breaker

	mu      sync.Mutex
	users   []*checking // the latest last
	running bool
	again   bool          // the breaker has opened while the goroutine was about to end
	idle    chan struct{} // closed when nobody uses the checker any more
}

// checking is a configuration's way to ask.
type checking struct {
	ctx   context.Context //nolint:containedctx // it ends what is under way when the configuration goes
	check func(context.Context) Health
}

// Check has the provider's health asked by check, which must return soon after its
// context is done, until stop is called. Of several, such as those of an old and a new
// configuration, the latest is asked. Without [Settings.Health] nobody asks.
func (b *Breaker) Check(check func(context.Context) Health) (stop func()) {
	c := b.checker
	if c == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	u := &checking{ctx, check}
	c.mu.Lock()
	if len(c.users) == 0 {
		c.idle = make(chan struct{})
	}
	c.users = append(c.users, u)
	c.mu.Unlock()
	c.wake()
	return sync.OnceFunc(func() {
		cancel()
		c.drop(u)
	})
}

func (c *checker) drop(u *checking) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users = slices.DeleteFunc(c.users, func(other *checking) bool { return other == u })
	if len(c.users) == 0 {
		close(c.idle)
	}
}

// wake starts the goroutine where there is something to ask.
func (c *checker) wake() {
	if c == nil {
		return
	}
	if _, later := c.b.asksHealth(); !later {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.again = c.running; c.running || len(c.users) == 0 {
		return
	}
	c.running = true
	go c.run(c.idle)
}

// run asks until the breaker is closed or nobody uses the checker. The first answer
// is there before the open time is over.
func (c *checker) run(idle <-chan struct{}) {
	wait := jittered(min(c.b.set.Health, c.b.set.Open/2))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-idle:
			if c.ends(true) {
				return
			}
			idle = c.current()
		case <-timer.C:
		}
		now, later := c.b.asksHealth()
		if !later && c.ends(false) {
			return
		}
		if now {
			c.ask()
		}
		timer.Reset(jittered(c.b.set.Health))
	}
}

// ends reports whether the goroutine may end.
func (c *checker) ends(unused bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	goes := !c.again
	if unused {
		goes = len(c.users) == 0
	}
	c.again = false
	c.running = !goes
	return goes
}

// current returns what is closed when nobody uses the checker.
func (c *checker) current() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle
}

// ask asks once.
func (c *checker) ask() {
	u := c.latest()
	if u == nil {
		return
	}
	h := u.check(u.ctx)
	if u.ctx.Err() == nil { // else it was cut short, and says nothing
		c.b.heard(h, time.Now().Add(c.b.set.Health))
	}
}

func (c *checker) latest() *checking {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.users) == 0 {
		return nil
	}
	return c.users[len(c.users)-1]
}
