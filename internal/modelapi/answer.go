package modelapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// afterwards is how long the rest of a stream is waited for once its answer is
// complete: the numbers of tokens come last.
const afterwards = time.Second

// answer is an answer that is being read.
type answer struct {
	w standin.Writer

	any     bool  // an event has come
	text    bool  // a text has been written
	done    bool  // the answer is complete or cut
	err     error // of the answer, once it is done
	in, out int   // tokens, as far as told
	told    bool
}

// write writes a part of the answer.
func (a *answer) write(delta string) error {
	if delta == "" {
		return nil
	}
	a.text = true
	return a.w.Text(delta)
}

// end notes that the answer is complete, or cut where err says so.
func (a *answer) end(err error) {
	if !a.done {
		a.done, a.err = true, err
	}
}

// usage notes numbers of tokens. Some servers repeat them with every event.
func (a *answer) usage(in, out int) {
	if in >= 0 && out >= 0 {
		a.told, a.in, a.out = true, in, out
	}
}

// read reads a response to its end, or to that of the answer. event is called with the
// data of each event that is no error, and returns whether nothing more is wanted.
func (a *answer) read(resp *http.Response, event func(data []byte) (over bool, err error)) error {
	var rest *time.Timer
	err := eachEvent(resp.Body, func(data []byte) (bool, error) {
		a.any = true
		if string(data) == done {
			return a.done, nil
		}
		if e := errorIn(data); e != nil {
			return false, e.failure()
		}
		over, err := event(data)
		if a.done && rest == nil {
			rest = time.AfterFunc(afterwards, func() { _ = resp.Body.Close() })
		}
		return over, err
	})
	if rest != nil {
		rest.Stop()
	}
	return a.judge(err)
}

// judge says how an answer has ended. Whatever happens to a stream behind the end of
// its answer does not matter any more.
func (a *answer) judge(err error) error {
	if u, ok := a.w.(standin.UsageWriter); ok && a.told {
		u.Usage(a.in, a.out)
	}
	switch {
	case a.done:
		return a.err
	case err != nil:
		return err
	case !a.any:
		return session.Invalid("the answer is no event stream")
	}
	return &session.Failure{Reason: session.Reset, Answered: true, Err: errUnfinished}
}

var errUnfinished = errors.New("the stream ended before the answer was complete")

// whole reads an answer that is JSON and no stream, from a server that cannot stream,
// or one that has an error to report.
func (a *answer) whole(resp *http.Response, event func(data []byte) (over bool, err error)) error {
	data, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, MaxEvent))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return session.Invalid("the answer has more than %d bytes", MaxEvent)
	}
	if err != nil {
		return &session.Failure{Answered: true, Err: fmt.Errorf("reading the answer: %w", err)}
	}
	if e := errorIn(data); e != nil {
		return e.failure()
	}
	a.any = true
	_, err = event(data)
	return a.judge(err)
}

// isJSON reports whether a response is JSON, and so no stream.
func isJSON(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}
