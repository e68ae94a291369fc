package turn

import (
	"context"
	"io"
	"time"
)

// The times that nobody can choose.
const (
	// Grace is how long a turn goes on that a client has stopped, in case it was
	// not meant: a page that is loaded anew looks alike at first.
	Grace = 5 * time.Second
	// Linger is how long a turn is kept that ended well and that nobody has read
	// to its end.
	Linger = 30 * time.Second
	// Stall is how long a client may leave frames unread until the backend is read
	// without waiting for it.
	Stall = 10 * time.Second
	// Slow is how long it may do so until it is dropped.
	Slow = time.Minute
	// MaxUnread is how much is read of a stream that nobody reads, in bytes.
	MaxUnread = 64 << 20
)

// Options are those of the route.
type Options struct {
	// FirstToken is the longest wait for the first frame with content, 0 for any.
	FirstToken time.Duration

	// Finish is how long the backend's stream is read on when the last client is
	// lost. 0 cancels it at once.
	Finish time.Duration

	// Attach lets identical requests share a turn.
	Attach bool

	// Parallel is how many turns of a caller may be read at once, 0 for any number.
	Parallel int

	// Turns limits how often a caller may start one. It returns how long to wait,
	// 0 to go on. nil is no limit. It must not call back.
	Turns func(caller string) time.Duration
}

// Request asks for a turn.
type Request struct {
	Asker
	Options

	// Key is that of the request, zero where its body was not kept.
	Key Key

	// Thread is the thread that the request names, "" for none.
	Thread string

	// Ask asks for an answer: of the next backend or stand-in that may give one. It
	// is called with "" first, and again with how the last answer ended where that
	// said that there is more. Its context lives as long as the answer, not as the
	// client. It may return an [*Unanswered], to say in which words the turn ends.
	Ask func(ctx context.Context, last End) (*Answer, error)

	// Settled, if not nil, is called once: when Ask will not be called any more, or
	// when no turn is begun.
	Settled func()

	// Left says how the client has left. It is called once, when the client's
	// context is done or it was closed before its end. Where it says [Stopped] it may
	// call lost later, if the connection is lost after all. nil says [Unknown].
	Left func(lost func()) Leaving

	// Arrived reports whether everything that was written to the client has arrived
	// there. It must not block. nil: it has.
	Arrived func() bool

	// Observer is told what becomes of the turn. It may be nil.
	Observer Observer
}

// Answer is what somebody answers to a turn.
type Answer struct {
	// Body is the answer. Its Read returns when the context that was given to Ask
	// is canceled, with the cause where it can.
	Body io.ReadCloser

	// Passes says that the answer is no stream of the protocol, and goes to the
	// client that asked as it is: a refusal of the backend's.
	Passes bool

	// More says that Ask may be called again if this answer shows no content.
	// Until it does its frames are held, if FirstToken is set.
	More bool

	// StandIn says that no backend answers but a stand-in: FirstToken is not for it,
	// and it ends when its last client is lost.
	StandIn bool

	// Behind is a frame of ours that is shown behind the first one with data. Told, if
	// not nil, is called when it was.
	Behind []byte
	Told   func()

	// Asked is when the backend was asked, for FirstToken. Zero is now.
	Asked time.Time

	// Judge, if not nil, is called once with what is to be thought of the answer:
	// OK as soon as it shows content, or how it ended without.
	Judge func(End, error)

	// Value is for the caller of [Turns.Do]; see [Client.Answer].
	Value any
}

// Leaving is how a client left.
type Leaving int

// What a transport can see.
const (
	// Unknown is a client that has gone. It counts as lost.
	Unknown Leaving = iota
	// Lost is one whose connection is gone.
	Lost
	// Stopped is one that has ended this one stream on a connection that lives.
	Stopped
)

// Observer is told what happens to the turns of a route. It must not call back.
type Observer interface {
	// Begun says that a turn was started.
	Begun()
	// FirstToken says that it showed content, how long after it was started.
	FirstToken(d time.Duration)
	// Accepted says that a backend answers a turn in this thread: that of the
	// request, or the one it has created.
	Accepted(thread string)
	// Attached says that a client has attached.
	Attached()
	// Ended says how the turn ended, with the error of its stream, and whether it
	// ended well while nobody read it.
	Ended(end End, err error, unread bool)
}
