package sockets_test

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// socketCase is a case of the clients in testdata/websocket, by its name, and
// what the server has to see of it. How the client judges it is the client's.
type socketCase struct {
	name   string
	code   int    // the end of the connection, as the server sees it
	killed bool   // it sees none
	reason string // that goes with it
	pong   string // the pong the server gets
}

// abnormal is the code that libraries give where none came (RFC 6455, section 7.4.1).
const abnormal = 1006

// socketCases are all the cases, the last of which ends the server.
func socketCases() (all []socketCase) {
	for _, name := range []string{
		"text", "binary", "empty", "empty-binary", "large", "fragments", "fragments-binary", "fragments-server",
		"compressed", "many", "ping", "subprotocol",
	} {
		all = append(all, socketCase{name: name, code: 1000, reason: "done"})
	}
	all = append(all, socketCase{name: "ping-server", code: 1000, reason: "done", pong: "from the server, ü"})
	for _, name := range []string{"cut-client", "cut", "cut-reset", "cut-half"} {
		all = append(all, socketCase{name: name, code: abnormal})
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000} {
		reason := fmt.Sprintf("reason %d, für dich", code)
		for _, by := range []string{"close", "close-server"} {
			all = append(all, socketCase{name: fmt.Sprintf("%s-%d", by, code), code: code, reason: reason})
		}
	}
	return append(all, socketCase{name: "cut-killed", code: abnormal, killed: true})
}

// peerLine is a line that a client or a server prints: the client's says what
// became of a case, the server's what it saw.
type peerLine struct {
	Case   string
	OK     bool
	Got    json.RawMessage
	Code   int
	Reason string
	Pong   string
}

// peerLines reads all the lines there are.
func peerLines(t *testing.T, r io.Reader) (lines []peerLine) {
	t.Helper()
	for d := json.NewDecoder(r); ; {
		var l peerLine
		switch err := d.Decode(&l); err {
		case nil:
			lines = append(lines, l)
		case io.EOF:
			return lines
		default:
			t.Errorf("a line is none: %v", err)
			return lines
		}
	}
}

// startSocketServer starts a server and returns its port, too.
func startSocketServer(t *testing.T, args ...string) (p *testtools.Peer, port string) {
	t.Helper()
	p = testtools.Start(t, "testdata/websocket", nil, args...)
	line, err := p.Out.ReadString('\n')
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		t.Fatalf("the server said %q and %v", line, err)
	}
	return p, port
}

// socketPair is a client and a server, as programs with their arguments.
type socketPair struct{ client, server []string }

// converse runs both to their ends, the client with the URL that is made of the
// server's port, and holds what they say against the cases.
func (p socketPair) converse(t *testing.T, url func(port string) string) {
	t.Helper()
	server, port := startSocketServer(t, p.server...)
	client := testtools.Start(t, "testdata/websocket", nil, append(slices.Clone(p.client), url(port))...)
	judged := peerLines(t, client.Out)
	_ = server.In.Close()
	saw := peerLines(t, server.Out) // few enough to have waited in the pipe
	for _, c := range socketCases() {
		t.Run(c.name, func(t *testing.T) {
			c.checkClient(t, ofCase(judged, c.name))
			c.checkServer(t, ofCase(saw, c.name))
		})
	}
	for _, l := range judged {
		if !slices.ContainsFunc(socketCases(), func(c socketCase) bool { return c.name == l.Case }) {
			t.Errorf("the client has a case %q that is not expected", l.Case)
		}
	}
}

// ofCase are the lines of a case.
func ofCase(lines []peerLine, name string) []peerLine {
	return slices.DeleteFunc(slices.Clone(lines), func(l peerLine) bool { return l.Case != name })
}

// checkClient checks what the client says of a case: once, that it is fine.
func (c socketCase) checkClient(t *testing.T, lines []peerLine) {
	t.Helper()
	if len(lines) != 1 {
		t.Fatalf("the client had it %d times, want once", len(lines))
	}
	if !lines[0].OK {
		t.Errorf("the client got %s", lines[0].Got)
	}
}

// checkServer checks what the server says of a case: how it ended and, where
// there has to be one, the pong before that.
func (c socketCase) checkServer(t *testing.T, lines []peerLine) {
	t.Helper()
	var want []peerLine
	if c.pong != "" {
		want = append(want, peerLine{Case: c.name, Pong: c.pong})
	}
	if !c.killed {
		want = append(want, peerLine{Case: c.name, Code: c.code, Reason: c.reason})
	}
	if !slices.EqualFunc(lines, want, func(a, b peerLine) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("the server saw %+v, want %+v", lines, want)
	}
}

// path is that of the WebSockets of the site, in front of their session.
const path = "/api/ws/chat/"

// throughSite has a pair converse through the site.
func (p socketPair) throughSite(t *testing.T) {
	s := testsite.NewUnloaded(t)
	var before map[string]float64
	p.converse(t, func(port string) string {
		s.Load(testsite.Backends("", "http://127.0.0.1:"+port))
		before = endedSockets(s)
		return strings.Replace(s.URL, "http", "ws", 1) + path
	})
	s.Await(`streams_in_flight{kind="websocket"}`, 0)
	checkEnded(s, before)
	for _, c := range socketCases() { // the site writes its log on its own time, see awaitItsLog
		s.AwaitLogged("access.log", path+c.name+`"`)
	}
}

// endedSockets is how many WebSockets have ended so far, by outcome.
func endedSockets(s *testsite.Site) map[string]float64 {
	s.T.Helper()
	ended := make(map[string]float64)
	for _, outcome := range []string{"ok", "cut", "canceled", "idle", "failed"} {
		ended[outcome] = s.Metric(fmt.Sprintf("streams_total{kind=%q,outcome=%q}", "websocket", outcome))
	}
	return ended
}

// checkEnded checks that every case counts once, and as ok where it was closed
// by a handshake. As what the others count is left open: the site reads no
// frames, and need not tell a connection that was cut from one that was closed.
func checkEnded(s *testsite.Site, before map[string]float64) {
	s.T.Helper()
	var all, closed, counted float64
	for _, c := range socketCases() {
		all++
		if c.code != abnormal {
			closed++
		}
	}
	now := endedSockets(s)
	for outcome := range now {
		counted += now[outcome] - before[outcome]
	}
	if ok := now["ok"] - before["ok"]; counted != all || ok < closed {
		s.T.Errorf("%v ended, %v of them ok, want %v and at least %v: %v, before: %v", counted, ok, all, closed, now, before)
	}
}

// Two independent clients and two independent servers understand each other
// through the site, each with each, as they do without it: what fails directly,
// too, is a matter of the libraries.
func TestWebSocketClients(t *testing.T) {
	node, python := testtools.Node(t, "ws"), testtools.Python(t, "websockets")
	clients := map[string][]string{"node": {node, "client.cjs"}, "python": {python, "client.py"}}
	servers := map[string][]string{"node": {node, "server.cjs"}, "python": {python, "server.py"}}
	for client, clientArgs := range clients {
		for server, serverArgs := range servers {
			pair := socketPair{clientArgs, serverArgs}
			t.Run(client+" to "+server, pair.throughSite)
			t.Run(client+" to "+server+", direct", func(t *testing.T) {
				pair.converse(t, func(port string) string { return "ws://127.0.0.1:" + port + "/ws/chat/" })
			})
		}
	}
}
