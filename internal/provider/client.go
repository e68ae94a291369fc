package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/session"
)

// MaxAnswer is how much of an answer is read, in bytes.
const MaxAnswer = 64 << 10

// errTooLarge is the cause of an answer beyond [MaxAnswer].
var errTooLarge = errors.New("answer has more than 64 KiB")

// Client posts JSON to one URL. It is safe for concurrent use.
type Client struct {
	// URL is the address asked, shared by all requests and never changed.
	URL *url.URL

	// Header is sent with every request; its values are shared, never changed.
	Header http.Header

	// Transport makes the exchange. Redirects are not followed.
	Transport http.RoundTripper
}

// Call is one request to a provider.
type Call struct {
	// URL takes the place of the client's where it is not nil.
	URL *url.URL

	// Header is added to the client's, and wins over it.
	Header http.Header

	// Body is the JSON to send.
	Body []byte

	// CallerCredentials tells that Header holds credentials of the caller.
	CallerCredentials bool
}

// Post sends a call and hands the body of a 2xx answer to judge, which must not
// keep it. Any other status, an answer that breaks off and one that is too large
// come back as a [*session.Failure]; an error of the transport as it is.
func (c *Client) Post(ctx context.Context, call *Call, judge func(body []byte) error) error {
	resp, err := c.Transport.RoundTrip(c.request(ctx, call))
	if err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return refused(resp, call)
	}
	defer resp.Body.Close()
	buf := buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // the pool holds nothing else
	defer buffers.Put(buf)
	buf.Reset()
	if err := readAnswer(buf, resp.Body); err != nil {
		return err
	}
	return judge(buf.Bytes())
}

// request builds the HTTP request. Literally, because http.NewRequest would
// parse the URL and copy the header once more for each of them.
func (c *Client) request(ctx context.Context, call *Call) *http.Request {
	u := c.URL
	if call.URL != nil {
		u = call.URL
	}
	h := make(http.Header, len(c.Header)+len(call.Header))
	maps.Copy(h, c.Header)
	maps.Copy(h, call.Header)
	r := &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(call.Body)),
		Body:          newBody(call.Body),
		GetBody:       func() (io.ReadCloser, error) { return newBody(call.Body), nil },
	}
	return r.WithContext(ctx)
}

// body is the body of a request.
type body struct{ bytes.Reader }

// Close implements [io.Closer].
func (*body) Close() error { return nil }

func newBody(b []byte) *body {
	r := new(body)
	r.Reset(b)
	return r
}

// buffers hold answers while they are judged; none grows beyond MaxAnswer + 1
// by more than a bytes.Buffer's own rounding.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 2<<10)) }}

// readAnswer reads a whole answer.
func readAnswer(buf *bytes.Buffer, body io.Reader) error {
	lr := io.LimitedReader{R: body, N: MaxAnswer + 1}
	if _, err := buf.ReadFrom(&lr); err != nil {
		return &session.Failure{Answered: true, Err: fmt.Errorf("reading answer: %w", err)}
	}
	if buf.Len() > MaxAnswer {
		return session.Invalid("%w", errTooLarge)
	}
	return nil
}

// refused turns an answer that is no success into a failure. Its body is of no
// interest, but a small one is read for a moment so that the connection can be
// used again: an outage should not also be a storm of handshakes.
func refused(resp *http.Response, call *Call) error {
	defer resp.Body.Close()
	if resp.ContentLength <= drainBytes { // or of unknown length, which is -1
		timer := time.AfterFunc(drainTime, func() { _ = resp.Body.Close() })
		defer timer.Stop()
		_, _ = io.CopyN(io.Discard, resp.Body, drainBytes)
	}
	return &session.Failure{
		Status:            resp.StatusCode,
		RetryAfter:        session.RetryAfter(resp.Header, time.Now()),
		CallerCredentials: call.CallerCredentials,
		Answered:          true,
	}
}

// What a refusal is read to, in size and in time.
const (
	drainBytes = 4 << 10
	drainTime  = 50 * time.Millisecond
)
