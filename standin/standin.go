package standin

import (
	"context"
	"fmt"
)

// StandIn answers turns. Its methods must be safe for concurrent use.
type StandIn interface {
	// Notice returns the title and the words of the notice that each answer begins
	// with. The words are Markdown; where they are empty, the title stands alone.
	Notice() (title, message string)

	// Model reports whether the answers come from a model. A model is asked only for
	// callers that are known; everybody may have the answer of another stand-in.
	Model() bool

	// Answer writes the answer to t as it comes, and returns nil once it is complete.
	// An [*Incomplete] says that a limit or a filter has cut it. Any other error is a
	// failure, best a [*session.Failure]: before the first text the next stand-in is
	// asked, after it the turn ends with an error. Answer must return soon after ctx
	// is done and when w returns an error, which it returns as it is.
	//
	// [*session.Failure]: https://pkg.go.dev/github.com/caddy-chatkit/caddy-chatkit/session#Failure
	Answer(ctx context.Context, t *Turn, w Writer) error
}

// LastResort is a stand-in that always has an answer, such as words of the operator's.
// It is asked after all others, wherever it is written. The interface is optional.
type LastResort interface {
	LastResort()
}

// Role says who wrote a message.
type Role string

// The roles of a conversation.
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is a message of a conversation.
type Message struct {
	Role Role
	Text string
}

// Turn is what a stand-in answers. It is shared and must not be changed.
type Turn struct {
	// History is the conversation, oldest message first. The last one is the user's,
	// and is to be answered.
	History []Message

	// Safety is a keyed hash of the caller, of at most 64 characters, for a model
	// provider that wants to tell users apart. It may be empty. Nothing else of the
	// caller is known here, and nothing else may leave.
	Safety string

	// RequestID is for logs.
	RequestID string

	// Replace replaces the placeholders of the client's request in a text of the
	// operator's. Nil leaves the text as it is. Do not use it on what a client wrote.
	Replace func(string) string
}

// Writer takes an answer as it comes.
type Writer interface {
	// Text takes the next part of the answer, which is never empty. An error means
	// that nobody wants the rest.
	Text(delta string) error
}

// UsageWriter is a [Writer] that wants to know what an answer took. It is optional;
// a stand-in that knows calls it once, before it returns.
type UsageWriter interface {
	// Usage takes the numbers of tokens that were read and written.
	Usage(in, out int)
}

// The reasons of an [Incomplete].
const (
	MaxTokens     = "max_tokens"
	ContentFilter = "content_filter"
)

// Incomplete is the error for an answer that was cut by a limit or by a filter of the
// model. What came until then is the answer.
type Incomplete struct { //nolint:errname // it is how an answer ends, and no failure
	Reason string // one of the constants above
}

func (e *Incomplete) Error() string {
	return fmt.Sprintf("the answer was cut (%s)", e.Reason)
}
