package provider

import (
	"bytes"
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

	"github.com/caddy-chatkit/caddy-chatkit/internal/limitread"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// MaxAnswer is how much of an answer is read, in bytes.
const MaxAnswer = 64 << 10

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

	// ID is sent as X-Request-Id where it is not empty.
	ID string

	// Body is the JSON to send, nil for none.
	Body []byte

	// CallerCredentials tells that Header holds credentials of the caller.
	CallerCredentials bool

	// Explain, where it is not nil, sees the body of an answer that is no
	// success and may say more about the failure than its status does. The body
	// is nil where it has more than [MaxAnswer] bytes; err tells that it broke
	// off. Like judge, Explain must not keep it.
	Explain func(f *session.Failure, body []byte, err error)
}

// Post sends a call and hands the body of a 2xx answer to judge, which must not
// keep it. Any other status, an answer that breaks off and one that is too large
// come back as a [*session.Failure]; an error of the transport as it is.
func (c *Client) Post(ctx context.Context, call *Call, judge func(body []byte) error) error {
	resp, err := c.Transport.RoundTrip(c.request(ctx, call))
	if err != nil {
		return withoutPeersWords(err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return refused(resp, call)
	}
	defer resp.Body.Close()
	body, err := limitread.Read(resp.Body, MaxAnswer)
	defer body.Release()
	switch {
	case errors.Is(err, limitread.ErrTooLarge):
		return session.Invalid("answer has more than %d bytes", MaxAnswer)
	case err != nil:
		return &session.Failure{Answered: true, Err: fmt.Errorf("reading answer: %w", err)}
	}
	return judge(body.Bytes())
}

// errNotHTTP is the cause of an answer that is no HTTP.
var errNotHTTP = errors.New("answer is not HTTP")

// withoutPeersWords takes the place of the errors in which net/http quotes what
// the peer has sent (a malformed status line, header or length): that must not
// get into logs. An answer has begun then, so the exchange did something.
func withoutPeersWords(err error) error {
	_, network := errors.AsType[net.Error](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	if network || certificate || !strings.Contains(err.Error(), `"`) {
		return err
	}
	return &session.Failure{Reason: session.Reset, Answered: true, Err: errNotHTTP}
}

// request builds the HTTP request. Literally, because http.NewRequest would
// parse the URL and copy the header once more for each of them.
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
	r := &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if len(data) > 0 {
		r.ContentLength, r.Body = int64(len(data)), newBody(data)
		r.GetBody = func() (io.ReadCloser, error) { return newBody(data), nil }
	}
	return r.WithContext(ctx)
}

// newBody is the body of a request. It is of a type that net/http knows to be in
// memory: before any other it sends the header in a packet of its own.
func newBody(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

// refused turns an answer that is no success into a failure. Where its body is
// of no interest a small one is read for a moment all the same, so that the
// connection can be used again: an outage should not also be a storm of
// handshakes.
func refused(resp *http.Response, call *Call) error {
	defer resp.Body.Close()
	f := &session.Failure{
		Status:            resp.StatusCode,
		RetryAfter:        session.RetryAfter(resp.Header, time.Now()),
		CallerCredentials: call.CallerCredentials,
		Answered:          true,
	}
	switch {
	case call.Explain != nil:
		explain(f, resp.Body, call)
	case resp.ContentLength <= drainBytes: // or of unknown length, which is -1
		timer := time.AfterFunc(drainTime, func() { _ = resp.Body.Close() })
		defer timer.Stop()
		_, _ = io.CopyN(io.Discard, resp.Body, drainBytes)
	}
	return f
}

// explain has the body of a refusal explained, which may take as long as the
// attempt has.
func explain(f *session.Failure, r io.Reader, call *Call) {
	body, err := limitread.Read(r, MaxAnswer)
	defer body.Release()
	if errors.Is(err, limitread.ErrTooLarge) {
		call.Explain(f, nil, nil)
		return
	}
	call.Explain(f, body.Bytes(), err)
}

// What a refusal is read to, in size and in time.
const (
	drainBytes = 4 << 10
	drainTime  = 50 * time.Millisecond
)
