package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// How many streams, and as many WebSockets, are open over a reload, and how many
// are opened after it.
const (
	each  = 200
	fresh = 10
	all   = each + fresh
)

// chat is a backend whose streams send an event whenever the test says so, and
// whose WebSockets answer every message. Both say the path they were asked for,
// which tells by which configuration they came.
type chat struct {
	mu  sync.Mutex
	now *turn
}

// turn is the time from one event of the streams to the next.
type turn struct {
	over chan struct{}
	last bool
}

func newTurn() *turn { return &turn{over: make(chan struct{})} }

// current is the turn that goes on.
func (c *chat) current() *turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// next makes every stream send its next event, or end.
func (c *chat) next(last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.last = last
	close(c.now.over)
	c.now = newTurn()
}

func (c *chat) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		// Taken before the event leaves: whoever has read it may ask for the next.
		t := c.current()
		_, _ = io.WriteString(w, event(r.URL.Path))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-t.over:
			if t.last {
				return
			}
		}
	}
}

func event(path string) string { return "data: " + path + "\n\n" }

// session answers a session request.
func session(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"session_id":"ses_1"}`)
}

// socket answers until it is told to close, and says the same code.
func (*chat) socket(ws *websocket.Conn) {
	for {
		f, err := ws.NewFrameReader()
		if err != nil {
			return
		}
		payload, err := io.ReadAll(f)
		if err != nil {
			return
		}
		if f.PayloadType() == websocket.CloseFrame {
			_ = ws.WriteClose(code(payload))
			return
		}
		if websocket.Message.Send(ws, answer(ws.Request().URL.Path, string(payload))) != nil {
			return
		}
	}
}

// code is the code of a frame that closes, 0 where there is none.
func code(payload []byte) int {
	if len(payload) < 2 {
		return 0
	}
	return int(payload[0])<<8 | int(payload[1])
}

func answer(path, text string) string { return path + " got " + text }

// chatSite is the binary with a site before such a backend. Its process is a
// new one, so that all of its series begin at 0.
type chatSite struct {
	*installation
	chat    chat
	backend string
	drain   time.Duration
	client  http.Client
}

// text is a Caddyfile that carries to paths below base.
func (s *chatSite) text(base string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
}
%s {
	chatkit {
		drain %s
		stream /api/custom/stream %[4]s/api/chat/stream
		websocket /api/ws/chat/{session} %[4]s/ws/chat/{session}
		provider backend %[5]s {
			retries 0
		}
	}
}
`, s.admin, s.url, s.drain, base, s.backend)
}

// newChatSite starts one and has it carry a stream and a WebSocket: what the
// process does once only is then done. The reload closes the connections that
// they left idle.
func newChatSite(t *testing.T, drain time.Duration) *chatSite {
	t.Helper()
	s := &chatSite{drain: drain, installation: &installation{
		file:  filepath.Join(t.TempDir(), "Caddyfile"),
		url:   testsite.Nobody(t),
		admin: testsite.FreeAddr(t),
	}}
	s.chat.now = newTurn()
	// A connection kept alive would be a goroutine of the binary's.
	s.client.Transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", s.chat.stream)
	mux.HandleFunc("POST /api/sessions", session)
	mux.Handle("GET /", websocket.Server{Handler: s.chat.socket})
	backend := httptest.NewServer(mux)
	t.Cleanup(backend.Close)
	s.backend = backend.URL
	s.write(t, s.text(v2))
	s.Process = testsite.Start(t, "run", "--adapter", "caddyfile", "--config", s.file)
	s.Await(t, "serving initial configuration")
	o := s.open(t, 1, v2)
	s.endStreams(t, o)
	endSockets(t, o)
	s.load(t, v1)
	return s
}

// The paths of the two configurations at the backend.
const (
	v1 = ""
	v2 = "/v2"
)

// load is `caddy reload` with the configuration of a base; it returns how long
// that took.
func (s *chatSite) load(t *testing.T, base string, flags ...string) time.Duration {
	t.Helper()
	s.write(t, s.text(base))
	begin := time.Now()
	args := append([]string{"reload", "--adapter", "caddyfile", "--config", s.file, "--address", s.admin}, flags...)
	if out, err := testsite.Run(t, nil, args...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return time.Since(begin)
}

// get reads a page of the admin API.
func (s *chatSite) get(t *testing.T, path string) string {
	t.Helper()
	return testsite.Do(t, &s.client, http.MethodGet, "http://"+s.admin+path, "").Raw
}

// goroutines is how many the process has, and which.
func (s *chatSite) goroutines(t *testing.T) (n int, profile string) {
	t.Helper()
	profile = s.get(t, "/debug/pprof/goroutine?debug=1")
	if _, err := fmt.Sscanf(profile, "goroutine profile: total %d", &n); err != nil {
		t.Fatalf("%v: %.80s", err, profile)
	}
	return n, profile
}

// level is how many goroutines there are when what has ended is gone. The
// servers of a replaced configuration look at least every half second whether
// they are idle.
func (s *chatSite) level(t *testing.T) int {
	t.Helper()
	lowest, _ := s.goroutines(t)
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		n, _ := s.goroutines(t)
		lowest = min(lowest, n)
	}
	return lowest
}

// allowed is how many goroutines there may be after a test that does these
// reloads: as many as there are when nothing is open, what the same reloads
// have just left behind of Caddy's own, and one. Of the connection that asks,
// one goroutine is sometimes there already and sometimes not yet.
func (s *chatSite) allowed(t *testing.T, reloads ...func() time.Duration) int {
	t.Helper()
	before := s.level(t)
	for _, reload := range reloads {
		reload()
	}
	after := s.level(t)
	t.Logf("goroutines: %d, and %d after %d reloads with nothing open", before, after, len(reloads))
	return after + max(0, after-before) + 1
}

// fewGoroutines waits for the goroutines to be as few as allowed.
func (s *chatSite) fewGoroutines(t *testing.T, allowed int) {
	t.Helper()
	for end := time.Now().Add(s.drain + 15*time.Second); ; {
		n := s.level(t)
		if n <= allowed {
			t.Logf("goroutines: %d in the end", n)
			return
		}
		if time.Now().After(end) {
			_, profile := s.goroutines(t)
			t.Fatalf("%d goroutines are left, want %d at most: %s", n, allowed, profile)
		}
	}
}

// quiet ends the process and checks that nothing went wrong inside. What Caddy
// may say when the drain time is over is no fault: a backend that has been told
// to close, and has, is as quick as Caddy is with the client.
func (s *chatSite) quiet(t *testing.T) {
	t.Helper()
	s.Interrupt(t)
	for line := range strings.Lines(s.Output()) {
		if strings.Contains(line, "panic") ||
			strings.Contains(line, `"level":"error"`) && !strings.Contains(line, "failed to closed connections after delay") {
			t.Errorf("logged %s", line)
		}
	}
}

var carriedSeries = regexp.MustCompile(`(?m)^caddy_chatkit_(streams_(?:total|in_flight)\{.*\}) (\S+)$`)

// tally are the series of what is carried that are not 0.
func (s *chatSite) tally(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, m := range carriedSeries.FindAllStringSubmatch(s.get(t, "/metrics"), -1) {
		if m[2] != "0" {
			found[m[1]] = m[2]
		}
	}
	return found
}

// both counts streams and WebSockets.
type both struct{ streams, sockets int }

// count waits for the metrics to say that so many have ended well and so many
// are open, and that none has ended otherwise: a client sees an end before it is
// counted.
func (s *chatSite) count(t *testing.T, ended, open both) {
	t.Helper()
	want := make(map[string]string)
	for series, n := range map[string]int{
		`streams_total{kind="stream",outcome="ok"}`:    ended.streams,
		`streams_total{kind="websocket",outcome="ok"}`: ended.sockets,
		`streams_in_flight{kind="stream"}`:             open.streams,
		`streams_in_flight{kind="websocket"}`:          open.sockets,
	} {
		if n != 0 {
			want[series] = strconv.Itoa(n)
		}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := s.tally(t)
		if maps.Equal(got, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("counted %v, want %v", got, want)
		}
	}
}

// opened are streams and WebSockets that go on.
type opened struct {
	base    string
	streams []*bufio.Reader
	sockets []*websocket.Conn
}

// open opens n of each, which have to come by the configuration of base, and
// reads from each.
func (s *chatSite) open(t *testing.T, n int, base string) *opened {
	t.Helper()
	o := &opened{base: base}
	for i := range n {
		o.streams = append(o.streams, retried(t, func() (*bufio.Reader, error) { return s.stream(t) }))
		o.sockets = append(o.sockets, retried(t, func() (*websocket.Conn, error) { return s.socket(t, i) }))
	}
	o.hear(t)
	o.talk(t)
	return o
}

// retried opens what may still meet the listener a reload is about to close.
func retried[T any](t *testing.T, open func() (T, error)) T {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		v, err := open()
		if err == nil {
			return v
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// patience ends what hangs.
const patience = time.Minute

func (s *chatSite) stream(t *testing.T) (*bufio.Reader, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/custom/stream", strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("got %s", resp.Status)
	}
	return bufio.NewReader(resp.Body), nil
}

func (s *chatSite) socket(t *testing.T, number int) (*websocket.Conn, error) {
	t.Helper()
	url := fmt.Sprintf("ws%s/api/ws/chat/s%d", strings.TrimPrefix(s.url, "http"), number)
	ws, err := websocket.Dial(url, "", s.url)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws, ws.SetDeadline(time.Now().Add(patience))
}

// hear reads one event of every stream.
func (o *opened) hear(t *testing.T) {
	t.Helper()
	want := event(o.base + "/api/chat/stream")
	for i, r := range o.streams {
		got := make([]byte, len(want))
		if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("stream %d: got %q and %v, want %q", i, got[:n], err, want)
		}
	}
}

// talk sends a message over every WebSocket and reads the answer.
func (o *opened) talk(t *testing.T) {
	t.Helper()
	for i, ws := range o.sockets {
		text := fmt.Sprintf("message %d", i)
		if err := websocket.Message.Send(ws, text); err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
		var got string
		err := websocket.Message.Receive(ws, &got)
		if want := answer(fmt.Sprintf("%s/ws/chat/s%d", o.base, i), text); err != nil || got != want {
			t.Fatalf("socket %d: got %q and %v, want %q", i, got, err, want)
		}
	}
}

// goOn has all of them carry data now and then until a time, and returns how
// often.
func (s *chatSite) goOn(t *testing.T, until time.Time, list ...*opened) (rounds int) {
	t.Helper()
	for ; rounds < 3 || time.Now().Before(until); rounds++ {
		time.Sleep(300 * time.Millisecond)
		s.chat.next(false)
		for _, o := range list {
			o.hear(t)
			o.talk(t)
		}
	}
	return rounds
}

// endStreams lets the backend end all streams.
func (s *chatSite) endStreams(t *testing.T, list ...*opened) {
	t.Helper()
	s.chat.next(true)
	for _, o := range list {
		for i, r := range o.streams {
			if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
				t.Errorf("stream %d ended with %q and %v", i, rest, err)
			}
		}
	}
}

// endSockets closes all WebSockets as a client should.
func endSockets(t *testing.T, list ...*opened) {
	t.Helper()
	for _, o := range list {
		for i, ws := range o.sockets {
			if err := ws.WriteClose(1000); err != nil {
				t.Errorf("socket %d: %v", i, err)
			}
			closed(t, i, ws, 1000)
		}
	}
}

// closed reads the end of a WebSocket: a frame that closes it with a code. There
// may be another one, for where Caddy closes both ends the backend's answer may
// reach the client too, before Caddy's own word. The client then hangs up: what
// the backend has ended is only half closed until it does.
func closed(t *testing.T, number int, ws *websocket.Conn, want int) {
	t.Helper()
	defer ws.Close()
	for frames := 0; ; frames++ {
		f, err := ws.NewFrameReader()
		if errors.Is(err, io.EOF) && frames > 0 {
			return
		}
		if err != nil {
			t.Errorf("socket %d ended with %v after %d frames", number, err, frames)
			return
		}
		payload, err := io.ReadAll(f)
		if err != nil || f.PayloadType() != websocket.CloseFrame || code(payload) != want {
			t.Errorf("socket %d ended with a frame %x of %q and %v, want code %d", number, f.PayloadType(), payload, err, want)
			return
		}
	}
}

// A reload does not wait for what is open, and cuts none of it: it goes on with
// the configuration it began with, while what is new gets the new one. When all
// has ended nothing of it is left in the process.
func TestDrainKeepsAll(t *testing.T) {
	s := newChatSite(t, 20*time.Second)
	change := func() time.Duration { return s.load(t, v2) }
	force := func() time.Duration { return s.load(t, v2, "--force") }
	back := func() time.Duration { return s.load(t, v1) }
	allowed := s.allowed(t, change, force, back)

	old := s.open(t, each, v1)
	n, _ := s.goroutines(t)
	begin := time.Now()
	changed, forced := change(), force()
	t.Logf("goroutines: %d with all open; reloads took %s and %s", n, changed, forced)
	// One that waited for the sockets would take as long as they may drain, and
	// one that waited for the streams would not return.
	if most := s.drain / 2; changed > most || forced > most {
		t.Errorf("reloads took %s and %s", changed, forced)
	}
	added := s.open(t, fresh, v2)
	s.count(t, both{1, 1}, both{all, all})
	t.Logf("%d rounds in %s after the reload", s.goOn(t, begin.Add(s.drain/2), old, added), time.Since(begin))
	s.count(t, both{1, 1}, both{all, all})

	s.endStreams(t, old, added)
	endSockets(t, old, added)
	s.count(t, both{1 + all, 1 + all}, both{})
	back() // closes the connections the added ones left idle
	s.fewGoroutines(t, allowed)
	s.quiet(t)
}

// After the drain time Caddy closes the WebSockets of a configuration that was
// replaced, and says so. Streams it leaves alone, however long they go on, and
// so it does what came by the new configuration.
func TestDrainEnds(t *testing.T) {
	s := newChatSite(t, time.Second)
	change := func() time.Duration { return s.load(t, v2) }
	back := func() time.Duration { return s.load(t, v1) }
	allowed := s.allowed(t, change, back)

	old := s.open(t, each, v1)
	begin := time.Now()
	change()
	added := s.open(t, fresh, v2)
	for i, ws := range old.sockets {
		closed(t, i, ws, 1001)
		if lived := time.Since(begin); i == 0 && lived < s.drain {
			t.Errorf("socket %d lived for %s", i, lived)
		}
	}
	took := time.Since(begin)
	t.Logf("all sockets were closed %s after the reload", took)
	if took > s.drain+10*time.Second {
		t.Errorf("the last socket lived for %s", took)
	}
	old.sockets = nil
	s.count(t, both{1, 1 + each}, both{all, fresh})
	s.goOn(t, time.Now().Add(2*s.drain), old, added)
	s.count(t, both{1, 1 + each}, both{all, fresh})

	s.endStreams(t, old, added)
	endSockets(t, added)
	s.count(t, both{1 + all, 1 + all}, both{})
	back()
	s.fewGoroutines(t, allowed)
	s.quiet(t)
}
