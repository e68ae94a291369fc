package caddymodule_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	quicgo "github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// cuttable is a client whose connection can be cut.
type cuttable struct {
	*http.Client

	cut func()
}

// cuttables are clients that have a connection of their own, for each version.
var cuttables = map[string]func() cuttable{
	"HTTP/1.1": func() cuttable { return overTCP(protocols["HTTP/1.1"]()) },
	"HTTP/2.0": func() cuttable { return overTCP(protocols["HTTP/2.0"]()) },
	"HTTP/3.0": func() cuttable {
		var conn *quicgo.Conn
		tr := &http3.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "example.com"}, DisableCompression: true,
			Dial: func(ctx context.Context, addr string, t *tls.Config, c *quicgo.Config) (_ *quicgo.Conn, err error) {
				conn, err = quicgo.DialAddrEarly(ctx, addr, t, c)
				return conn, err
			},
		}
		return cuttable{&http.Client{Transport: quic{tr}}, func() { _ = conn.CloseWithError(0x100, "") }}
	},
}

// overTCP returns a client over TCP.
func overTCP(rt http.RoundTripper) cuttable {
	tr, _ := rt.(*http.Transport)
	var conn net.Conn
	tr.DialContext = func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return conn, err
	}
	return cuttable{&http.Client{Transport: tr}, func() { _ = conn.Close() }}
}

// leavers is how many clients leave in each way.
const leavers = 5

// A stop is told from a loss where the transport can: over HTTP/2 and HTTP/3 the end
// of one stream cancels the turn after the grace time, the end of the connection
// does not. Over HTTP/3 the stream's own end may come first, so one of five may be
// wrong.
func TestStopOrLoss(t *testing.T) {
	const finish = 8 * time.Second
	type canceled struct {
		who string
		at  time.Time
	}
	gone := make(chan canceled, 6*leavers)
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		hangs(threadFrame)(w, r)
		gone <- canceled{r.Header.Get("X-Way"), time.Now()}
	})
	s.LoadText(s.secure(testsite.Backends("chatkit /chatkit {\n on_disconnect finish "+finish.String()+"\n }", url)))
	left := make(map[string]time.Time)
	for version, client := range cuttables {
		for i := range 2 * leavers {
			c, way := client(), version+[]string{" stop", " cut"}[i%2]
			r := s.turn(c.Client, fmt.Sprint("Chatkit-Frame-Instance-Id: ", way, i), fmt.Sprint("X-Way: ", way, " ", i))
			if got := r.frame(); got != threadFrame || r.Proto != version {
				t.Fatalf("got %q over %s", got, r.Proto)
			}
			left[fmt.Sprint(way, " ", i)] = time.Now()
			if i%2 == 0 {
				r.leave()
			} else {
				c.cut()
			}
		}
	}
	stopped := make(map[string]int)
	for range 6 * leavers {
		if c := testsite.Receive(t, gone); c.at.Sub(left[c.who]) < finish-500*time.Millisecond {
			stopped[c.who[:strings.LastIndex(c.who, " ")]]++
		}
	}
	for way, most := range map[string]int{
		"HTTP/1.1 stop": 0, "HTTP/1.1 cut": 0, "HTTP/2.0 stop": leavers, "HTTP/2.0 cut": 0, "HTTP/3.0 stop": leavers, "HTTP/3.0 cut": 1,
	} {
		t.Logf("%s: %d of %d count as stopped", way, stopped[way], leavers)
		if got := stopped[way]; got > most || most == leavers && got < leavers {
			t.Errorf("%s: %d of %d count as stopped", way, got, leavers)
		}
	}
}

// A page that is loaded anew keeps the turn that its predecessor seemed to stop.
func TestReloadedPageIsNoStop(t *testing.T) {
	s := newUnloadedSite(t)
	ended := make(chan string, 2)
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), "threads.create") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
			return
		}
		begin(w, threadFrame)
		select {
		case <-r.Context().Done():
			ended <- "canceled"
		case <-time.After(turn.Grace + time.Second):
			ended <- "stored"
		}
	})
	s.LoadText(s.secure(testsite.Backends("user {http.request.header.X-User}\n chatkit /chatkit", url)))
	c := overTCP(protocols["HTTP/2.0"]())
	for user, want := range map[string]string{"alice": "stored", "bob": "canceled"} {
		r := s.turn(c.Client, frameOne, "X-User: "+user)
		_ = r.frame()
		r.leave()
		time.Sleep(100 * time.Millisecond)
		a := testsite.Do(t, c.Client, http.MethodPost, s.URL+"/chatkit", `{"type":"threads.list","params":{}}`, frameTwo, "X-User: alice")
		if got := testsite.Receive(t, ended); got != want || a.Raw != "{}" {
			t.Errorf("%s: the backend has %s it, the list is %q", user, got, a.Raw)
		}
	}
}
