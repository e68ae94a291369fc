package demo

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// sessionLog turns the access log of the demo's Caddy into one readable line per
// session. Caddy sends its log over a connection, as to any log collector.
type sessionLog struct {
	ln  net.Listener
	out io.Writer
	wg  sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// drainTime is how long Close waits for lines that are still in flight.
const drainTime = 100 * time.Millisecond

// newSessionLog listens for Caddy and prints to out.
func newSessionLog(out io.Writer) (*sessionLog, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &sessionLog{ln: ln, out: out}
	l.wg.Go(l.accept)
	return l, nil
}

// Addr returns the address to which Caddy should send its log.
func (l *sessionLog) Addr() string { return l.ln.Addr().String() }

// Close stops listening and prints the lines that are still in flight. It does
// not wait for Caddy to disconnect: Caddy keeps its log connections after a stop.
func (l *sessionLog) Close() error {
	err := l.ln.Close()
	l.mu.Lock()
	l.closed = true
	for _, c := range l.conns {
		_ = c.SetReadDeadline(time.Now().Add(drainTime))
	}
	l.mu.Unlock()
	l.wg.Wait()
	return err
}

func (l *sessionLog) accept() {
	for {
		conn, err := l.ln.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns = append(l.conns, conn)
		if l.closed {
			_ = conn.SetReadDeadline(time.Now().Add(drainTime))
		}
		l.mu.Unlock()
		l.wg.Go(func() { l.read(conn) })
	}
}

func (l *sessionLog) read(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		l.extendDrain(conn)
		if s, ok := readableLine(lines.Bytes()); ok {
			_, _ = fmt.Fprintln(l.out, s)
		}
	}
}

// extendDrain gives a connection that still delivers lines more time after
// Close, because reading the rest takes a while on a busy machine.
func (l *sessionLog) extendDrain(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.SetReadDeadline(time.Now().Add(drainTime))
	}
}

// entry holds the fields of an access-log line that are used here.
type entry struct {
	TS       float64 `json:"ts"`
	Status   int     `json:"status"`
	Duration float64 `json:"duration"`
	Provider *string `json:"chatkit_provider"`
	Reason   string  `json:"chatkit_reason"`
	Request  struct {
		URI string `json:"uri"`
	} `json:"request"`
}

// outcome says who served, and why the first provider did not.
func (e *entry) outcome() string {
	switch who := *e.Provider; {
	case e.Status < 300 && e.Reason == "":
		return "served by " + who
	case e.Status < 300:
		return "served by " + who + ", the first provider failed: " + e.Reason
	case e.Reason == "":
		return "refused before any provider was asked"
	case who == "none":
		return "not served, the first provider failed: " + e.Reason
	default:
		return who + " refused this user"
	}
}

// readableLine formats a line of the access log. It returns false if the line is
// not about a session.
func readableLine(line []byte) (string, bool) {
	var e entry
	if json.Unmarshal(line, &e) != nil || e.Provider == nil {
		return "", false
	}
	var b strings.Builder
	sec := int64(e.TS)
	at := time.Unix(sec, int64((e.TS-float64(sec))*1e9))
	fmt.Fprintf(&b, "%s  %s  %d  %s", at.Format("15:04:05.000"), e.Request.URI, e.Status, e.outcome())
	took := time.Duration(e.Duration * float64(time.Second))
	fmt.Fprintf(&b, "  (%s)", took.Round(10*time.Microsecond))
	return b.String(), true
}
