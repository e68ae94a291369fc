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

	"github.com/caddy-chatkit/caddy-chatkit/session"
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
	kept   []request // oldest first
	count  int       // of requests ever kept
}

// request is a request of the access log, for the page.
type request struct {
	Number   int     `json:"number"`
	At       int64   `json:"at"` // Unix milliseconds
	Path     string  `json:"path"`
	Status   int     `json:"status"`
	Provider string  `json:"provider"`
	Reason   string  `json:"reason"`
	Skipped  bool    `json:"skipped"` // the first provider was not asked
	Outcome  string  `json:"outcome"`
	Took     float64 `json:"took"` // milliseconds
}

// maxKept is how many requests are kept for the page.
const maxKept = 100

// requests returns the latest requests.
func (l *sessionLog) requests() []request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]request{}, l.kept...)
}

func (l *sessionLog) keep(r request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	r.Number = l.count
	l.kept = append(l.kept, r)
	l.kept = l.kept[max(0, len(l.kept)-maxKept):]
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
		if e, ok := parseEntry(lines.Bytes()); ok {
			_, _ = fmt.Fprintln(l.out, e.line())
			l.keep(e.request())
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
	Outcome  string  `json:"chatkit_outcome"`
	Request  struct {
		URI string `json:"uri"`
	} `json:"request"`
}

// outcome says who served, and why the first provider did not.
func (e *entry) outcome() string {
	switch who := *e.Provider; {
	case who == "none" && e.Reason != "": // a turn has status 200 all the same
		return "not served, " + e.first()
	case e.Status < 300 && e.Reason == "":
		return "served by " + who
	case e.Status < 300:
		return "served by " + who + ", " + e.first()
	case e.Reason == "":
		return "refused before any provider was asked"
	default:
		return who + " refused this user"
	}
}

// first says what became of the first provider.
func (e *entry) first() string {
	if session.Reason(e.Reason).Skipped() {
		return "the first provider was not asked: " + e.Reason
	}
	return "the first provider failed: " + e.Reason
}

// parseEntry reads a line of the access log. It returns false if the line is not
// about a request of chatkit's.
func parseEntry(line []byte) (e entry, ok bool) {
	return e, json.Unmarshal(line, &e) == nil && e.Provider != nil
}

func (e *entry) at() time.Time {
	sec := int64(e.TS)
	return time.Unix(sec, int64((e.TS-float64(sec))*1e9))
}

func (e *entry) took() time.Duration { return time.Duration(e.Duration * float64(time.Second)) }

// line formats the entry for a terminal.
func (e *entry) line() string {
	return fmt.Sprintf("%s  %s  %d  %s  (%s)", e.at().Format("15:04:05.000"), e.Request.URI, e.Status, e.outcome(), e.took().Round(10*time.Microsecond))
}

func (e *entry) request() request {
	path, _, _ := strings.Cut(e.Request.URI, "?")
	return request{
		At: e.at().UnixMilli(), Path: path, Status: e.Status, Provider: *e.Provider, Reason: e.Reason,
		Skipped: session.Reason(e.Reason).Skipped(), Outcome: e.Outcome, Took: e.Duration * 1e3,
	}
}
