package browser_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// line is what is between a browser and the site. It can break.
type line struct {
	URL string // of the site, through it

	to       string
	mu       sync.Mutex
	browsers []net.Conn
	site     []net.Conn
}

// newLine returns one that ends with the test.
func newLine(t *testing.T, site string) *line {
	t.Helper()
	u, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{URL: u.Scheme + "://" + listener.Addr().String(), to: u.Host}
	t.Cleanup(func() {
		_ = listener.Close()
		l.breaks()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.carry(conn)
		}
	}()
	return l
}

// carry carries a connection both ways.
func (l *line) carry(browser net.Conn) {
	site, err := net.Dial("tcp", l.to)
	if err != nil {
		_ = browser.Close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.browsers, l.site = append(l.browsers, browser), append(l.site, site)
	go func() { _, _ = io.Copy(site, browser) }()
	go func() { _, _ = io.Copy(browser, site) }()
}

// breaks closes all connections, on both sides.
func (l *line) breaks() {
	l.dies()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.site {
		_ = conn.Close()
	}
}

// dies closes all connections for the browser. The site learns nothing of it, as
// where a phone has lost its network.
func (l *line) dies() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.browsers {
		_ = conn.Close()
	}
}
