package orphan

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Result is what became of a session that nobody got, as a metric label.
type Result string

// The results.
const (
	Canceled    Result = "canceled"    // it has ended
	Failed      Result = "failed"      // the provider did not cancel it, asked twice
	Dropped     Result = "dropped"     // too many others are waiting to be canceled
	Unsupported Result = "unsupported" // the provider cannot cancel it
	Unknown     Result = "unknown"     // the call never ended, so there may be one or not
)

// Results returns all of them.
func Results() []Result { return []Result{Canceled, Failed, Dropped, Unsupported, Unknown} }

// Bounds of a keeper.
const (
	maxWaiting = 1000 // sessions to be canceled, those asked for again included
	maxWorkers = 8
	again      = time.Second // until the provider is asked once more
)

// Keeper cancels the sessions of one provider. It is safe for concurrent use. It has no
// goroutine while there is nothing to do.
type Keeper struct {
	tell func(requestID string, r Result, err error)

	mu      sync.Mutex
	held    [kinds]int
	waiting int // all jobs that are not done
	queue   []Job
	workers int
	busy    int // held calls and jobs
	idle    chan struct{}
}

// Job is a session to be canceled.
type Job struct {
	RequestID string

	// Limit is the longest one call may take.
	Limit time.Duration

	// Do makes the call. An error that is [errors.ErrUnsupported] says that the session
	// cannot be canceled. One that is a [session.Failure] with status 404 or 410 says
	// that there is no such session any more, which will do.
	Do func(ctx context.Context) error

	tried bool
}

// New returns a keeper. tell is called with what became of each session.
func New(tell func(requestID string, r Result, err error)) *Keeper { return &Keeper{tell: tell} }

// Tell tells what became of a session that the keeper cannot help with.
func (k *Keeper) Tell(requestID string, r Result) { k.tell(requestID, r, nil) }

// Cancel cancels a session in the background.
func (k *Keeper) Cancel(j Job) {
	k.mu.Lock()
	if k.waiting >= maxWaiting {
		k.mu.Unlock()
		k.tell(j.RequestID, Dropped, nil)
		return
	}
	k.waiting++
	k.begin()
	k.enqueue(j)
	k.mu.Unlock()
}

// enqueue adds a job, with a worker for it if there may be one more. The lock is held.
func (k *Keeper) enqueue(j Job) {
	k.queue = append(k.queue, j)
	if k.workers < maxWorkers {
		k.workers++
		go k.work()
	}
}

// work does jobs until there are none.
func (k *Keeper) work() {
	for {
		k.mu.Lock()
		if len(k.queue) == 0 {
			k.workers--
			k.mu.Unlock()
			return
		}
		j := k.queue[0]
		k.queue = k.queue[1:]
		k.mu.Unlock()
		k.do(j)
	}
}

// do makes one call.
func (k *Keeper) do(j Job) {
	err := j.call()
	result := Canceled
	switch {
	case err == nil, gone(err):
		err = nil
	case errors.Is(err, errors.ErrUnsupported):
		result, err = Unsupported, nil
	case !j.tried:
		j.tried = true
		time.AfterFunc(again, func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.enqueue(j)
		})
		return
	default:
		result = Failed
	}
	k.tell(j.RequestID, result, err)
	k.mu.Lock()
	k.waiting--
	k.end()
	k.mu.Unlock()
}

// call makes the call. A panic of a third party's provider costs no more than that.
func (j *Job) call() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), j.Limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("provider panicked with a %T", p)
		}
	}()
	return j.Do(ctx)
}

// gone reports whether a provider has no such session any more.
func gone(err error) bool {
	f, ok := errors.AsType[*session.Failure](err)
	return ok && (f.Status == http.StatusNotFound || f.Status == http.StatusGone)
}
