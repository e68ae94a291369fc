package chatkit

// Request is what a proxy reads of a request: all of it that decides who answers.
type Request struct {
	// Type is the operation, "" where there is none.
	Type Operation

	// Thread is params.thread_id, "" where there is none.
	Thread string

	// Unclear says that somebody else could read the request in another way:
	// a name is there twice, or a value is longer than 1 KiB.
	Unclear bool
}

// requestPaths are where a request says it.
var requestPaths = []path{{name: "type"}, {section: "params", name: "thread_id"}}

// Scanner reads a [Request] out of a body as it passes, and keeps nothing of it: a
// body may be longer than what a proxy has memory for. The zero value is ready to
// use.
type Scanner struct {
	picker picker
	begun  bool
}

// Write implements [io.Writer]. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		s.picker.reset(requestPaths)
	}
	s.picker.write(p)
	return len(p), nil
}

// Request returns what was read so far.
func (s *Scanner) Request() Request {
	if !s.begun {
		return Request{}
	}
	got := s.picker.got
	return Request{Type: Operation(got[0]), Thread: got[1], Unclear: s.picker.unclear}
}

// ReadRequest reads a request of which everything, or the beginning, is there.
func ReadRequest(body []byte) Request {
	var s Scanner
	_, _ = s.Write(body)
	return s.Request()
}
