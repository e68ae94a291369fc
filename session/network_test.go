package session_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// raw starts a server that gives each connection to handle, and returns its address.
func raw(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			handle(c)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// says reads the beginning of what comes and answers with text.
func says(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 64<<10))
		_, _ = c.Write([]byte(text))
	}
}

func resets(c *net.TCPConn) {
	_, _ = c.Read(make([]byte, 1))
	_ = c.SetLinger(0)
}

// refusing is an address nobody listens at.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// noDNS resolves nothing, without asking anybody.
func noDNS() *net.Dialer {
	return &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}}
}

func secure(t *testing.T, conf *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = conf
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func plain(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// roundTrip is what net/http's own transport makes of a session request.
func roundTrip(t *testing.T, tr *http.Transport, target string) error {
	t.Helper()
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(`{"user_id":"u"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("answered %d", resp.StatusCode)
	}
	return err
}

func trustAll() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

func through(proxy string) func(*http.Request) (*url.URL, error) {
	return http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
}

func TestClassifyWhatTheTransportReturns(t *testing.T) {
	hold := make(chan struct{})
	hangs := plain(t, func(http.ResponseWriter, *http.Request) { <-hold })
	t.Cleanup(func() { close(hold) })
	answers := plain(t, func(http.ResponseWriter, *http.Request) {})
	later := func() time.Time { return time.Now().AddDate(100, 0, 0) }
	cases := []struct {
		name      string
		target    string
		transport *http.Transport
		want      session.Verdict
	}{
		{"refused", "http://" + refusing(t), &http.Transport{}, retried(failed(session.Dial, 0))},
		{
			"dial takes too long", "http://" + answers,
			&http.Transport{DialContext: (&net.Dialer{Timeout: 1}).DialContext}, retried(failed(session.Dial, 0)),
		},
		{
			"proxy refused", "http://127.0.0.1:1",
			&http.Transport{Proxy: through(refusing(t))}, retried(failed(session.Dial, 0)),
		},
		{
			"no such name", "http://nowhere.invalid",
			&http.Transport{DialContext: noDNS().DialContext}, failed(session.DNS, 0),
		},
		{"reset", "http://" + raw(t, resets), &http.Transport{}, retried(failed(session.Reset, 0))},
		{"closed without a word", "http://" + raw(t, says("")), &http.Transport{}, retried(failed(session.Reset, 0))},
		{"cut within the header", "http://" + raw(t, says("HTTP/1.1 200 OK\r\nCont")), &http.Transport{}, retried(failed(session.Reset, 0))},
		{"TLS alert to a plain request", "http://" + raw(t, says("\x15\x03\x01\x00\x02\x02\x0a")), &http.Transport{}, retried(failed(session.Reset, 0))},
		{"TLS to a plain server", "https://" + answers, &http.Transport{}, failed(session.TLS, 0)},
		{"TLS to what is no HTTP at all", "https://" + raw(t, says("220 mail.test ESMTP\r\n")), &http.Transport{}, failed(session.TLS, 0)},
		{"unknown authority", "https://" + secure(t, nil), &http.Transport{}, failed(session.TLS, 0)},
		{
			"certificate of another host", "https://" + secure(t, nil),
			&http.Transport{TLSClientConfig: &tls.Config{ServerName: "other.test"}}, failed(session.TLS, 0),
		},
		{
			"certificate expired", "https://" + secure(t, nil),
			&http.Transport{TLSClientConfig: &tls.Config{Time: later}}, failed(session.TLS, 0),
		},
		{
			"no version in common", "https://" + secure(t, &tls.Config{MaxVersion: tls.VersionTLS12}),
			&http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}, failed(session.TLS, 0),
		},
		{
			"client certificate wanted",
			"https://" + secure(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}),
			&http.Transport{TLSClientConfig: trustAll()}, failed(session.TLS, 0),
		},
		{
			"certificate of the proxy", "http://127.0.0.1:1",
			&http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "https", Host: secure(t, nil)})}, failed(session.TLS, 0),
		},
		{
			"no answer in the transport's own time", "http://" + hangs,
			&http.Transport{ResponseHeaderTimeout: 10 * time.Millisecond}, failed(session.Timeout, 0),
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := roundTrip(t, c.transport, c.target)
			if got := session.Classify(t.Context(), t.Context(), err, nil); got != c.want {
				t.Errorf("%v (%T)\ngot  %+v\nwant %+v", err, err, got, c.want)
			}
		})
	}
}
