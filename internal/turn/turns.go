package turn

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is the error of a turn that comes when the process stops.
var ErrClosed = errors.New("no turns any more: the server is stopping")

// Turns holds the turns of a process. It is safe for concurrent use, and outlives
// the configurations whose requests it serves: a turn has the options of the one it
// began in.
type Turns struct {
	budget  budget
	running sync.WaitGroup // goroutines

	mu     sync.Mutex
	closed bool
	byKey  map[Key]*Turn
	of     map[string]map[*Turn]struct{} // by caller
}

// New returns a set without turns.
func New() *Turns { return newTurns(MaxTotal) }

func newTurns(total int64) *Turns {
	return &Turns{budget: budget{limit: total}, byKey: make(map[Key]*Turn), of: make(map[string]map[*Turn]struct{})}
}

// Do returns a client of the turn that r asks for, once there is something to show:
// of a new turn, or of one that an identical request has begun. ctx is that of the
// client, which is gone when it is done. The client must be closed.
//
// The error is a [*Refused], [ErrClosed], or the cause of ctx.
func (s *Turns) Do(ctx context.Context, r *Request) (*Client, error) {
	begun := false
	defer func() {
		if !begun && r.Settled != nil {
			r.Settled()
		}
	}()
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c, err := s.join(ctx, r)
		if err != nil {
			return nil, err
		}
		begun = c.owner // a turn that was begun goes on without its client
		select {
		case <-c.t.shown:
		case <-ctx.Done():
			_ = c.Close()
			return nil, context.Cause(ctx)
		}
		passes := c.t.passes()
		if c.owner || !passes {
			c.passes = passes
			return c, nil
		}
		c.detach() // the answer is for the client that asked for it
	}
}

// join returns a client of a turn, which is begun if there is none.
func (s *Turns) join(ctx context.Context, r *Request) (*Client, error) {
	c := &Client{frame: r.Frame, how: r.Left, arrived: r.Arrived}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	t := s.attach(c, r)
	if t == nil {
		if refused := s.refuse(r); refused != nil {
			s.mu.Unlock()
			return nil, refused
		}
		t = s.begin(ctx, c, r)
		t.observe(Observer.Begun)
		s.running.Go(func() { t.run(r.Ask, r.Settled) })
	}
	s.mu.Unlock()
	if c.owner {
		s.boundAlone(&r.Asker)
	} else {
		t.observe(Observer.Attached)
	}
	c.stop = context.AfterFunc(ctx, c.leave)
	return c, nil
}

// attach makes c a client of the turn that r asks for too. It returns nil where
// there is none.
func (s *Turns) attach(c *Client, r *Request) *Turn {
	if !r.Attach || r.Key == (Key{}) {
		return nil
	}
	t := s.byKey[r.Key]
	if t == nil || !t.attach(c) {
		return nil
	}
	return t
}

// refuse returns why a new turn is over a limit, nil if it is not.
func (s *Turns) refuse(r *Request) error {
	if r.Caller == "" {
		return nil
	}
	if r.Parallel > 0 {
		n := 0
		for t := range s.of[r.Caller] {
			if t.r.Scope == r.Scope && t.read() {
				n++
			}
		}
		if n >= r.Parallel {
			return tooManyAtOnce()
		}
	}
	if r.Turns != nil {
		if wait := r.Turns(r.Caller); wait > 0 {
			return TooMany(wait)
		}
	}
	return nil
}

// begin adds a new turn with its first client.
func (s *Turns) begin(ctx context.Context, c *Client, r *Request) *Turn {
	t := newTurn(ctx, s, r)
	c.t, c.owner = t, true
	t.clients, t.owner = []*Client{c}, c
	if t.tape.keep {
		s.byKey[t.r.Key] = t
	}
	if s.of[t.r.Caller] == nil {
		s.of[t.r.Caller] = make(map[*Turn]struct{}, 1)
	}
	s.of[t.r.Caller][t] = struct{}{}
	return t
}

// forget removes a turn that is over, and that nobody can attach to.
func (s *Turns) forget(t *Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey[t.r.Key] == t {
		delete(s.byKey, t.r.Key)
	}
	delete(s.of[t.r.Caller], t)
	if len(s.of[t.r.Caller]) == 0 {
		delete(s.of, t.r.Caller)
	}
}

// Loads tells the turns that a caller's page is loaded, in a frame: it has asked for
// what pages ask for then. A turn of the caller's that was just stopped from another
// frame was not meant to be stopped, and goes on.
func (s *Turns) Loads(scope, caller, frame string) {
	s.mu.Lock()
	turns := make([]*Turn, 0, len(s.of[caller]))
	for t := range s.of[caller] {
		if t.r.Scope == scope {
			turns = append(turns, t)
		}
	}
	s.mu.Unlock()
	for _, t := range turns {
		t.loads(frame)
	}
}
