package fleet

import "time"

// Observer is told how a [Fleet] is doing. Its methods must be quick.
type Observer interface {
	// Sent, Received and Dropped count what was told: Dropped what did not fit in
	// the queue or did not get through.
	Sent(k Kind)
	Received(k Kind)
	Dropped(k Kind)

	// Looked counts a question, by its result.
	Looked(r Result)

	// Lag is the time from when a fact was told to when it arrives.
	Lag(d time.Duration)

	// Up says that the store can be used again, or no longer, for err.
	Up(up bool, err error)

	// Strange is told of content that cannot be read.
	Strange(err error)
}

// Result is the result of a question, as a metric label.
type Result string

// The results.
const (
	Hit     Result = "hit"     // it is known
	Miss    Result = "miss"    // it is not
	Slow    Result = "timeout" // no answer in time
	Failed  Result = "error"   // an error
	Skipped Result = "skipped" // not asked: the store is away
)

// Results lists every result.
func Results() []Result { return []Result{Hit, Miss, Slow, Failed, Skipped} }
