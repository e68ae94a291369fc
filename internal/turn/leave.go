package turn

import (
	"slices"
	"time"
)

// leave takes a client that has left. When it was the last one the turn goes on
// alone, for a while.
func (t *Turn) leave(c *Client, how Leaving) {
	t.mu.Lock()
	defer t.unlock()
	c.gone = true
	if c.err == nil {
		c.err = ErrLeft
	}
	if t.remove(c) {
		t.left(c, how)
	}
	if c.owner && t.end == Passed {
		t.cancel(ErrCanceled)
	}
	t.news.Broadcast()
}

// left decides what becomes of the turn when c has left it.
func (t *Turn) left(c *Client, how Leaving) {
	switch {
	case t.over || len(t.clients) > 0:
		return
	case t.r.Finish <= 0, t.answer.Answer != nil && t.answer.StandIn:
		t.finish(Canceled, ErrCanceled)
		return
	case how == Stopped && !c.cut:
		t.leaver = c
		t.endIn(min(Grace, t.r.Finish))
	default:
		t.finishUnread()
	}
	t.unread = 0
	t.pump()
}

// finishUnread lets a turn that nobody reads go on to its end.
func (t *Turn) finishUnread() {
	if t.over || len(t.clients) > 0 {
		return
	}
	t.leaver = nil
	t.endIn(t.r.Finish)
}

// endIn cancels the turn in a while, unless somebody comes.
func (t *Turn) endIn(d time.Duration) {
	stop(t.leaving)
	t.leaves++
	at := t.leaves
	t.leaving = time.AfterFunc(d, func() {
		t.mu.Lock()
		defer t.unlock()
		if t.leaves == at && len(t.clients) == 0 {
			t.finish(Canceled, ErrCanceled)
		}
	})
}

// stay keeps a turn that somebody has come to.
func (t *Turn) stay() {
	stop(t.leaving)
	t.leaves++
	t.leaver = nil
}

// loads keeps a turn that was stopped by another frame of the same caller.
func (t *Turn) loads(frame string) {
	t.mu.Lock()
	defer t.unlock()
	if t.leaver != nil && t.leaver.frame != frame {
		t.finishUnread()
	}
}

// pump starts a goroutine that reads the stream whenever no client does.
func (t *Turn) pump() {
	if t.pumped || t.over || !t.visible {
		return
	}
	t.pumped = true
	t.turns.running.Go(func() {
		t.mu.Lock()
		defer t.unlock()
		t.readOn()
	})
}

// watch looks after the clients from time to time.
func (t *Turn) watch() {
	t.mu.Lock()
	defer t.unlock()
	if t.over {
		return
	}
	if !t.answer.reading && t.r.Finish > 0 && t.stalled() {
		t.pump()
	}
	if t.pumped || len(t.clients) > 1 {
		t.dropSlow()
	}
	t.watcher.Reset(Stall)
}

// stalled reports whether no client has asked for more in a while.
func (t *Turn) stalled() bool {
	for _, c := range t.clients {
		if c.away.IsZero() || time.Since(c.away) < Stall {
			return false
		}
	}
	return true
}

// dropSlow drops the clients that leave frames unread for too long.
func (t *Turn) dropSlow() {
	t.drop(func(c *Client) bool {
		return c.pos < t.tape.end && !c.away.IsZero() && time.Since(c.away) >= Slow
	})
}

// dropLaggards drops the clients that are so far behind a place that memory is at
// stake.
func (t *Turn) dropLaggards(place int64) {
	t.drop(func(c *Client) bool { return place-c.pos > maxLag })
}

// drop drops clients. Such a client is lost.
func (t *Turn) drop(which func(*Client) bool) {
	for _, c := range slices.Backward(t.clients) {
		if which(c) {
			c.err = ErrSlow
			t.remove(c)
			t.left(c, Lost)
		}
	}
}
