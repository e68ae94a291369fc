package provider

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// MaxAnswer is the maximum size of an answer, in bytes.
const MaxAnswer = 64 << 10

// Client posts JSON to one URL. It is safe for concurrent use.
type Client struct {
	// URL is the address to call. It is shared by all requests and never changed.
	URL *url.URL

	// Header is sent with every request. Its values are shared and never changed.
	Header http.Header

	// Transport sends the requests. Redirects are not followed.
	Transport http.RoundTripper

	// KeyLimit says that the service limits our key, not each of its users: see
	// [session.Failure].
	KeyLimit bool
}

// Call is one request to a provider.
type Call struct {
	// Method replaces POST unless it is empty.
	Method string

	// URL replaces the client's URL unless it is nil.
	URL *url.URL

	// Header is added to the client's headers and overrides them.
	Header http.Header

	// ID is sent as X-Request-Id unless it is empty.
	ID string

	// Body is the JSON to send, nil for none.
	Body []byte

	// CallerCredentials says that Header holds the caller's own credentials.
	CallerCredentials bool

	// Explain, if not nil, is called with the body of an answer that is not a
	// success, and may add details to the failure. The body is nil if it is
	// longer than [MaxAnswer]; err is set if reading it failed.
	Explain func(f *session.Failure, body []byte, err error)
}

// Post sends a call, with POST unless it says otherwise, and passes the body of a 2xx answer to parse, which may keep
// it. Any other status, an incomplete answer and one that is too large are
// returned as a [*session.Failure], errors of the transport unchanged.
func (c *Client) Post(ctx context.Context, call *Call, parse func(body []byte) error) error {
	return c.Stream(ctx, call, func(resp *http.Response) error {
		body, tooLarge, err := read(resp)
		switch {
		case tooLarge:
			return session.Invalid("answer has more than %d bytes", MaxAnswer)
		case err != nil:
			if f, ok := errors.AsType[*session.Failure](err); ok {
				return f
			}
			return &session.Failure{Answered: true, Err: fmt.Errorf("reading answer: %w", err)}
		}
		return parse(body)
	})
}

// Stream is Post for an answer that comes bit by bit: use gets it with its body
// unread, and may close that. It has to bound what it reads.
func (c *Client) Stream(ctx context.Context, call *Call, use func(resp *http.Response) error) error {
	resp, err := c.Transport.RoundTrip(c.request(ctx, call))
	if err != nil {
		return redactPeer(err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return c.statusFailure(resp, call)
	}
	defer resp.Body.Close()
	return use(resp)
}

// errNotHTTP is the cause of an answer that is not HTTP.
var errNotHTTP = errors.New("answer is not HTTP")

// redactPeer replaces errors in which net/http quotes bytes from the peer (a
// malformed status line, header or length), because they must not reach the
// logs. The answer had begun by then, so the request may have had an effect.
func redactPeer(err error) error {
	_, network := errors.AsType[net.Error](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	if network || certificate || !strings.Contains(err.Error(), `"`) {
		return err
	}
	return &session.Failure{Reason: session.Reset, Answered: true, Err: errNotHTTP}
}

// request builds the HTTP request. It does not use http.NewRequest, which would
// parse the URL and copy the header again for every request.
func (c *Client) request(ctx context.Context, call *Call) *http.Request {
	u := c.URL
	if call.URL != nil {
		u = call.URL
	}
	data := call.Body
	h := make(http.Header, len(c.Header)+len(call.Header)+1)
	maps.Copy(h, c.Header)
	if call.ID != "" {
		h["X-Request-Id"] = []string{call.ID}
	}
	maps.Copy(h, call.Header)
	r := new(http.Request).WithContext(ctx) // first: it copies what there is
	r.Method, r.URL, r.Host, r.Header = cmp.Or(call.Method, http.MethodPost), u, u.Host, h
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if len(data) > 0 {
		r.ContentLength, r.Body = int64(len(data)), newBody(data)
		r.GetBody = func() (io.ReadCloser, error) { return newBody(data), nil }
	}
	return r
}

// newBody returns the body of a request, as a type that net/http knows to be in
// memory. For other types it sends the header in a separate packet.
func newBody(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

// statusFailure turns an answer that is not a success into a failure. If nobody
// needs the body, it still reads a small one for a short time, so that the
// connection can be reused: an outage should not also cause a storm of
// handshakes.
func (c *Client) statusFailure(resp *http.Response, call *Call) error {
	defer resp.Body.Close()
	f := &session.Failure{
		Status:            resp.StatusCode,
		RetryAfter:        session.RetryAfter(resp.Header, time.Now()),
		KeyLimit:          c.KeyLimit,
		CallerCredentials: call.CallerCredentials,
		Answered:          true,
	}
	switch {
	case call.Explain != nil:
		explain(f, resp, call)
	case resp.ContentLength <= drainBytes: // or unknown, which is -1
		timer := time.AfterFunc(drainTime, func() { _ = resp.Body.Close() })
		defer timer.Stop()
		_, _ = io.CopyN(io.Discard, resp.Body, drainBytes)
	}
	return f
}

// explain calls the call's Explain with the body of an error answer. Reading it
// is limited by the attempt's own time limit only.
func explain(f *session.Failure, resp *http.Response, call *Call) {
	body, tooLarge, err := read(resp)
	if tooLarge {
		body, err = nil, nil
	}
	call.Explain(f, body, err)
}

// Limits for reading the body of an error answer that nobody needs.
const (
	drainBytes = 4 << 10
	drainTime  = 50 * time.Millisecond
)
