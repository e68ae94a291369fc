package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// Transport sends requests over connections that it keeps. It is safe for concurrent
// use. Its fields must not be changed once it is used.
type Transport struct {
	// Dial connects to host:port.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS is the configuration for https URLs. Its NextProtos must not name HTTP/2.
	TLS *tls.Config

	// HandshakeTimeout limits the TLS handshake, 0 for no limit but the request's.
	HandshakeTimeout time.Duration

	// MaxIdle is how many connections without a request are kept for each host.
	MaxIdle int

	// IdleTimeout is how long they are kept, 0 for as long as the server does.
	IdleTimeout time.Duration

	// MaxHeader is the most that the header of an answer may take, in bytes, with
	// those of interim answers. 0 is [net/http.Transport]'s limit, 10 MiB.
	MaxHeader int64

	pool pool
}

// errStale is the error of a kept connection on which nothing could be written.
var errStale = errors.New("the server has closed the connection")

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		c, err := t.conn(r)
		if err != nil {
			closeBody(r)
			return nil, err
		}
		resp, err := c.exchange(r)
		if !errors.Is(err, errStale) {
			return resp, err
		}
		if r, err = rewound(r); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections closes the connections that wait, and from now on each that
// is done.
func (t *Transport) CloseIdleConnections() { t.pool.close() }

// conn returns a connection for a request, a kept one if there is one.
func (t *Transport) conn(r *http.Request) (*conn, error) {
	where := address(r)
	if err := r.Context().Err(); err != nil {
		return nil, context.Cause(r.Context())
	}
	if c := t.pool.get(where); c != nil {
		return c, nil
	}
	raw, err := t.Dial(r.Context(), "tcp", where.host)
	if err != nil {
		return nil, ended(r.Context(), err)
	}
	if where.tls {
		if raw, err = t.handshake(r.Context(), raw, where.host); err != nil {
			return nil, err
		}
	}
	return newConn(t, where, raw), nil
}

// handshake begins TLS on a connection.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, host string) (net.Conn, error) {
	config := t.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(host)
	}
	if t.HandshakeTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.HandshakeTimeout, errHandshake)
		defer cancel()
	}
	over := tls.Client(raw, config)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, ended(ctx, err)
	}
	return over, nil
}

// errHandshake is the error of a handshake that takes too long.
var errHandshake = &timeoutError{"TLS handshake timeout"}

type timeoutError struct{ text string }

// Error implements error.
func (e *timeoutError) Error() string { return e.text }

// Timeout implements [net.Error].
func (*timeoutError) Timeout() bool { return true }

// Temporary implements [net.Error].
func (*timeoutError) Temporary() bool { return true }

// place is where connections of a kind lead.
type place struct {
	host string // with its port
	tls  bool
}

// address returns where a request goes.
func address(r *http.Request) place {
	p := place{r.URL.Host, r.URL.Scheme == "https"}
	if r.URL.Port() != "" {
		return p
	}
	port := "80"
	if p.tls {
		port = "443"
	}
	p.host = net.JoinHostPort(r.URL.Hostname(), port)
	return p
}

// rewound returns a request that has not been sent, to be sent once more.
func rewound(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	if r.GetBody == nil {
		return nil, errStale
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := *r
	again.Body = body
	return &again, nil
}

// closeBody closes the body of a request that was not sent.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// ended returns the error of an exchange: where the request's context is over, why.
// The deadline of a connection is the context's, and may be noticed a little earlier.
func ended(ctx context.Context, err error) error {
	if deadline, limited := ctx.Deadline(); limited && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
