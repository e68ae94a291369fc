package relay_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

var (
	errDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	errDNS  = &net.DNSError{Name: "backend.test", Err: "no such host", IsNotFound: true}
	errTLS  = x509.UnknownAuthorityError{}
)

// breaksOff fails without an answer and without a look at the body.
func breaksOff(err error) send {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// tracked is a body that knows whether it was closed.
type tracked struct {
	io.Reader
	closed atomic.Int32
}

func (b *tracked) Close() error { b.closed.Add(1); return nil }

// answer is an answer with headers given in pairs.
func answer(status int, body io.Reader, header ...string) *http.Response {
	h := make(http.Header)
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, ContentLength: -1, Body: &tracked{Reader: body}}
}

// answers reads the body of the request and then answers.
func answers(status int, header ...string) send {
	return func(r *http.Request) (*http.Response, error) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		return answer(status, strings.NewReader("answer"), header...), nil
	}
}

// gives answers with a body.
func gives(body io.ReadCloser) send {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: -1, Body: body}, nil
	}
}

// hangs waits until it is given up, as a transport should.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// takes does the same as then after d, whatever its time limit says.
func takes(d time.Duration, then send) send {
	return func(r *http.Request) (*http.Response, error) {
		time.Sleep(d)
		return then(r)
	}
}

// keeps notes the body that f gets, and does the same as then.
func (f *fake) keeps(then send) send {
	return func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		f.bodies[len(f.bodies)-1] = string(b)
		if err != nil {
			return nil, err
		}
		return then(r)
	}
}

// source is a client's body of n bytes that counts those taken from it. At its
// end comes an error where there is one.
type source struct {
	left  int
	taken int
	err   error
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		if s.err != nil {
			return 0, s.err
		}
		return 0, io.EOF
	}
	from := letters[s.taken%26:]
	n := copy(p[:min(len(p), s.left)], from)
	s.left, s.taken = s.left-n, s.taken+n
	return n, nil
}

// letters are those of a source, which begin anew every 26 bytes.
const letters = "abcdefghijklmnopqrstuvwxyz"

// text is what a source of n bytes gives.
func text(n int) string {
	b, _ := io.ReadAll(&source{left: n})
	return string(b)
}

// script is the body of an answer that pauses before each of its bytes, until
// it is given up.
type script struct {
	ctx    context.Context
	pauses []time.Duration
	closed chan struct{}
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pauses) == 0 {
		return 0, io.EOF
	}
	timer := time.NewTimer(s.pauses[0])
	defer timer.Stop()
	select {
	case <-timer.C:
		s.pauses = s.pauses[1:]
		return copy(p, "x"), nil
	case <-s.closed:
		return 0, http.ErrBodyReadAfterClose
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func (s *script) Close() error { close(s.closed); return nil }

// pauses answers with a script.
func pauses(d ...time.Duration) send {
	return func(r *http.Request) (*http.Response, error) {
		return gives(&script{ctx: r.Context(), pauses: d, closed: make(chan struct{})})(r)
	}
}
