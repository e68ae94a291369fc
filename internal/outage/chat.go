package outage

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Chat is what a route does while no backend answers. It is safe for concurrent use.
type Chat struct {
	Store threads.Store
	State *State

	// Closed reports whether the breaker of a backend has closed since then. It may be
	// nil.
	Closed func(since time.Time) bool

	// Ask lets the stand-ins answer.
	Ask Ask

	// Models says that there are models among them.
	Models bool

	// Memory bounds what is remembered of backends' threads.
	Memory Memory

	// Handback says that somebody wants to be told of what backends have missed.
	Handback bool

	// Trouble is told of a store that is out of order. It may be nil.
	Trouble func(error)
}

// Ask lets one stand-in after another answer, until one does. It asks models only
// where that is allowed.
type Ask func(ctx context.Context, t *standin.Turn, models bool, stage Stage) Result

// Stage is where an answer is given.
type Stage interface {
	standin.Writer

	// Enter is called once, before the first text, with the notice of who speaks.
	Enter(title, message string) error
}

// Result says how an answer ended.
type Result int

// The ends of an answer.
const (
	// Complete is one to the last word.
	Complete Result = iota
	// Incomplete is one that a limit or a filter has cut.
	Incomplete
	// Broken is one that broke off.
	Broken
	// Left is one that nobody wanted to hear to its end.
	Left
	// Silent is none: no stand-in had one.
	Silent
)

// Caller is who asks.
type Caller struct {
	threads.Owner

	User   string // the account, "" for none
	Known  bool   // may ask a model
	Lists  bool   // may see a list of its threads: nobody else looks like this caller
	Safety string // a hash of the caller, for models

	RequestID string
	Replace   func(string) string
}

// Memory bounds what is remembered of a backend's thread.
type Memory struct {
	Items int           // 0: nothing is
	Life  time.Duration // of an item; 0: as long as the thread is kept
}

// maxInput is how long a message may be that a stand-in is asked, in bytes.
const maxInput = 64 << 10

// get returns a thread of the caller's, nil where there is none.
func (c *Chat) get(ctx context.Context, who *Caller, id string) *threads.Thread {
	t, err := c.Store.Get(ctx, threads.Key{Owner: who.Owner, ID: id})
	if err != nil {
		c.trouble(err)
		return nil
	}
	c.forget(t)
	return t
}

// change changes a thread, and reports whether it is there.
func (c *Chat) change(ctx context.Context, who *Caller, id string, change func(*threads.Thread)) bool {
	err := c.Store.Update(ctx, threads.Key{Owner: who.Owner, ID: id}, func(t *threads.Thread) error {
		change(t)
		return nil
	})
	c.trouble(err)
	return err == nil
}

// put adds a thread.
func (c *Chat) put(ctx context.Context, who *Caller, id string) {
	now := time.Now()
	c.trouble(c.Store.Put(ctx, who.Owner, &threads.Thread{ID: id, User: who.User, Created: now, Changed: now, Stranger: !who.Known}))
}

// trouble tells of an error of the store.
func (c *Chat) trouble(err error) {
	if err != nil && !errors.Is(err, threads.ErrGone) && c.Trouble != nil {
		c.Trouble(err)
	}
}

// status returns what can be done in a thread of a stand-in's own.
func (c *Chat) status(t *threads.Thread) chatkit.Status {
	switch {
	case t == nil:
		return chatkit.Status{Type: chatkit.Closed, Reason: goneReason}
	case c.Back(t.Changed):
		return chatkit.Status{Type: chatkit.Closed, Reason: backReason}
	}
	return chatkit.Status{Type: chatkit.Active}
}

// Back reports whether a backend has answered since then.
func (c *Chat) Back(since time.Time) bool {
	return c.State.Back(since) || c.Closed != nil && c.Closed(since)
}

// mayAsk reports whether a model may answer a caller.
func (c *Chat) mayAsk(who *Caller) bool { return c.Models && who.Known }

// protocol returns a thread as the protocol writes it, without its items.
func protocol(t *threads.Thread, s chatkit.Status) chatkit.Thread {
	p := chatkit.NewThread(t.ID, t.Created)
	p.Title, p.Status = t.Title, s
	return p
}

// lost returns a thread of which nothing is known.
func lost(id string, s chatkit.Status) chatkit.Thread {
	p := chatkit.NewThread(id, time.Now())
	p.Status = s
	return p
}
