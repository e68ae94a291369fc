package modelapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/caddy-chatkit/caddy-chatkit/internal/modelapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// page takes an answer.
type page struct {
	parts   []string
	in, out int
	told    int
	refuse  error
}

func (p *page) Text(delta string) error {
	p.parts = append(p.parts, delta)
	return p.refuse
}

func (p *page) Usage(in, out int) { p.told, p.in, p.out = p.told+1, in, out }

func (p *page) text() string { return strings.Join(p.parts, "") }

type reader func(*http.Response, standin.Writer) error

// answers reads an answer of a kind.
func (read reader) answers(kind string, body io.Reader, w standin.Writer) error {
	stream, ok := body.(io.ReadCloser)
	if !ok {
		stream = io.NopCloser(body)
	}
	return read(&http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: stream}, w)
}

// The readers.
var (
	chat reader = modelapi.ReadChat
	resp reader = modelapi.ReadResponses
)

const eventStream = "text/event-stream; charset=utf-8"

// ways are how the bytes of a stream may come.
var ways = map[string]func(string) io.Reader{
	"at once":      func(s string) io.Reader { return strings.NewReader(s) },
	"byte by byte": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
	"in halves":    func(s string) io.Reader { return iotest.HalfReader(strings.NewReader(s)) },
	"with the end": func(s string) io.Reader { return iotest.DataErrReader(strings.NewReader(s)) },
	"CRLF": func(s string) io.Reader {
		return iotest.OneByteReader(strings.NewReader(strings.ReplaceAll(s, "\n", "\r\n")))
	},
	"CR":              func(s string) io.Reader { return strings.NewReader(strings.ReplaceAll(s, "\n", "\r")) },
	"byte order mark": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader("\ufeff" + s)) },
	"comments": func(s string) io.Reader {
		return strings.NewReader(": keep-alive\n\n" + strings.ReplaceAll(s, "data:", ": c\nid: 7\nretry: 1\ndata:"))
	},
}

// outcome is how an answer has ended.
type outcome struct {
	text   string
	reason session.Reason
	cut    string // of an [standin.Incomplete]
}

// end classifies as the product does.
func end(t *testing.T, p *page, err error) outcome {
	t.Helper()
	o := outcome{text: p.text()}
	if cut, ok := errors.AsType[*standin.Incomplete](err); ok {
		o.cut = cut.Reason
		return o
	}
	o.reason = session.Classify(t.Context(), context.Background(), err, nil).Reason
	return o
}

// holds reads a stream in every way.
func holds(t *testing.T, read reader, stream string, want outcome) {
	t.Helper()
	for name, way := range ways {
		p := new(page)
		err := read.answers(eventStream, way(stream), p)
		if got := end(t, p, err); got != want {
			t.Errorf("%s: got %+v (%v), want %+v", name, got, err, want)
		}
		shows(t, err)
	}
}

// shows checks that an error holds nothing that a server has said.
func shows(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "SECRET") {
		t.Errorf("the error shows what the server said: %v", err)
	}
}

// events is a stream of events with this data.
func events(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		b.WriteString("data: " + d + "\n\n")
	}
	return b.String()
}
