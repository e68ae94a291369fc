package modelapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const (
	// MaxEvent is the length of the longest event, in bytes. The last one of the
	// Responses API repeats the whole answer and the instructions.
	MaxEvent = 1 << 20

	// MaxStream is how long a whole stream may be. Most of it is the wrapping of single
	// words, and what a model thinks to itself.
	MaxStream = 16 << 20
)

// done ends the streams of many servers. It proves nothing: some send it behind an
// error.
const done = "[DONE]"

var byteOrderMark = []byte("\ufeff")

var errEventTooLong = fmt.Errorf("an event has more than %d bytes", MaxEvent)

// eachEvent calls use with the data of each event of a stream until use returns true or
// an error. Names and ids of events say nothing that the data does not, so they are
// skipped, as are comments. An event that the end of the stream cuts counts: some
// servers leave out the last blank line.
func eachEvent(stream io.Reader, use func(data []byte) (over bool, err error)) error {
	limited := &io.LimitedReader{R: stream, N: MaxStream}
	lines := bufio.NewScanner(limited)
	lines.Buffer(make([]byte, 0, 4<<10), MaxEvent)
	lines.Split(splitter())
	var data []byte
	for lines.Scan() {
		line := lines.Bytes()
		if value, ok := field(line); ok {
			if len(data)+len(value) >= MaxEvent {
				return invalid(errEventTooLong)
			}
			data = append(append(data, value...), '\n')
		}
		if len(line) > 0 || len(data) == 0 {
			continue
		}
		if over, err := use(data[:len(data)-1]); over || err != nil {
			return err
		}
		data = data[:0]
	}
	if err := lines.Err(); err != nil {
		return broken(err)
	}
	if limited.N == 0 {
		return session.Invalid("the stream has more than %d bytes", MaxStream)
	}
	if len(data) > 0 {
		_, err := use(data[:len(data)-1])
		return err
	}
	return nil
}

// broken is the failure of a stream that cannot be read on.
func broken(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return invalid(errEventTooLong)
	}
	return &session.Failure{Answered: true, Err: fmt.Errorf("reading the stream: %w", err)}
}

func invalid(err error) error { return session.Invalid("%w", err) }

// field returns the value of a line of data.
func field(line []byte) (value []byte, ok bool) {
	value, ok = bytes.CutPrefix(line, []byte("data"))
	if !ok || len(value) == 0 {
		return nil, ok
	}
	if value, ok = bytes.CutPrefix(value, []byte(":")); ok {
		value = bytes.TrimPrefix(value, []byte(" "))
	}
	return value, ok
}

// splitter returns a function that splits a stream into lines, which may end in LF, CR
// or both. A CR ends its line at once: waiting for what follows it would hold an event
// back.
func splitter() bufio.SplitFunc {
	begun, cr := false, false
	return func(p []byte, atEOF bool) (advance int, line []byte, err error) {
		skip := 0
		if !begun {
			if len(p) < len(byteOrderMark) && !atEOF && bytes.HasPrefix(byteOrderMark, p) {
				return 0, nil, nil
			}
			begun = true
			if bytes.HasPrefix(p, byteOrderMark) {
				skip = len(byteOrderMark)
			}
		}
		if cr && skip < len(p) {
			cr = false
			if p[skip] == '\n' { // of the line end that has ended a line
				skip++
			}
		}
		rest := p[skip:]
		if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
			cr = rest[i] == '\r'
			return skip + i + 1, rest[:i:i], nil
		}
		if atEOF && len(rest) > 0 {
			return len(p), rest, nil
		}
		return skip, nil, nil
	}
}
