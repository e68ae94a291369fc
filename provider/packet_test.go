package provider_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
)

// countedConn counts what is written to it.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// A request is sent in one packet. If net/http does not know that the body is in
// memory, it sends the header separately, which costs a system call and wakes the
// backend twice.
func TestOneWritePerRequest(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var writes atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return countedConn{conn, &writes}, err
	}}
	defer transport.CloseIdleConnections()
	c := provider.Client{URL: u, Header: http.Header{"Accept": {"application/json"}}, Transport: transport}
	const requests = 5
	for range requests {
		call := provider.Call{ID: "id", Body: []byte(`{"user_id":"u"}`)}
		if err := c.Post(t.Context(), &call, func([]byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got := writes.Load(); got != requests {
		t.Errorf("%d requests took %d writes", requests, got)
	}
}
