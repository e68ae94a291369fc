package exchange_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/exchange"
)

// Whatever a server answers, the exchange ends with what net/http reads of it or with
// an error, and a second one never gets what is left.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		okAnswer, okAnswer + evilAnswer, "", "\r\n", "HTTP/1.1 200", "HTTP/1.1 103 X\r\n\r\n" + okAnswer, "HTTP/1.1 204 X\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nfffffffffffffffff\r\n",
		"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", "HTTP/1.0 200 OK\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nmore", "HTTP/9.9 999 X\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if strings.Contains(answer, "HTTP/1.1 299 ") {
			return // that is the next server's
		}
		given := []string{answer, "HTTP/1.1 299 Next\r\nContent-Length: 4\r\n\r\nnext"}
		rt := &exchange.Transport{MaxIdle: 1, MaxHeader: 1 << 16, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			text := given[0]
			given = given[1:]
			go func() {
				defer theirs.Close()
				_ = theirs.SetDeadline(time.Now().Add(5 * time.Second))
				if readHead(theirs) {
					_, _ = io.WriteString(theirs, text)
				}
			}()
			return ours, nil
		}}
		defer rt.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, _, _ = ask(ctx, rt, "http://one.example.com/", nil)
		if ctx.Err() != nil {
			t.Fatal("it did not end")
		}
		if status, body, err := ask(ctx, rt, "http://one.example.com/", nil); status != 299 || body != "next" || err != nil {
			t.Errorf("then got %d %q %v", status, body, err)
		}
	})
}

// readHead reads a request without a body.
func readHead(conn net.Conn) bool {
	var head []byte
	for p := make([]byte, 1024); !strings.HasSuffix(string(head), "\r\n\r\n"); {
		n, err := conn.Read(p)
		if err != nil {
			return false
		}
		head = append(head, p[:n]...)
	}
	return true
}
