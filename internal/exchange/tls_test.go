package exchange_test

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Over TLS connections are kept, too, and certificates are checked for the host.
func TestTLS(t *testing.T) {
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Proto))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	rt := newTransport()
	rt.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
	defer rt.CloseIdleConnections()
	for range 3 {
		if status, body, err := ask(t.Context(), rt, s.URL, []byte("{}")); status != 200 || body != "HTTP/1.1" || err != nil {
			t.Fatalf("%d %q %v", status, body, err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	strict := newTransport()
	_, _, err := ask(t.Context(), strict, s.URL, []byte("{}"))
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("unknown authority: %v", err)
	}
}

// A handshake that takes too long is a time-out.
func TestHandshakeTimeout(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	rt := newTransport()
	rt.HandshakeTimeout = 50 * time.Millisecond
	_, _, err = ask(t.Context(), rt, "https://"+ln.Addr().String(), []byte("{}"))
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
}
