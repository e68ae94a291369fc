package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// keptBody is the buffer of the tests below, in bytes.
const keptBody = 64 << 10

// neverOpen is a breaker that lets everything through.
const neverOpen = "\n breaker {\n consecutive 1000\n ratio 100% of 1000 in 10s\n }"

// pattern is a body of n bytes in which no piece can take another's place.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String()[:n]
}

// sendBody sends a stream request with a body of n bytes, chunked where its
// length is not to be told.
func (s *site) sendBody(n int, chunked bool) answer {
	s.T.Helper()
	var body io.Reader = strings.NewReader(pattern(n))
	if chunked {
		body = struct{ io.Reader }{body}
	}
	r, err := http.NewRequestWithContext(s.T.Context(), http.MethodPost, s.URL+"/api/custom/stream", body)
	if err != nil {
		s.T.Fatal(err)
	}
	resp, err := s.Client.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Error(err)
	}
	return answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(raw)}
}

// readsHalf reads half of the body before it fails in another way.
func readsHalf(then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		then(w, r)
	}
}

var bodies = []struct {
	name    string
	size    int
	chunked bool
}{
	{"empty", 0, false},
	{"the buffer", keptBody, false},
	{"one over", keptBody + 1, false},
	{"empty, chunked", 0, true},
	{"one over, chunked", keptBody + 1, true},
	{"eight buffers, chunked", 8 * keptBody, true},
}

// A body that is kept is whole at the second backend, whatever the first has
// read of it. One that is not goes to the first backend alone.
func TestFailoverBody(t *testing.T) {
	faults := map[string]http.HandlerFunc{
		"unread": plainly(503), "half read": readsHalf(plainly(503)), "cut off": readsHalf(hangUp),
	}
	for name, fault := range faults {
		s := newUnloadedSite(t)
		a, b := testsite.OwnBackend(t, fault), testsite.NewTaker(t, nil)
		s.Load(testsite.Backends("failover any\n buffer 64KiB", a+neverOpen, b.URL))
		for _, tt := range bodies {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				before := len(b.Received())
				got, more := s.sendBody(tt.size, tt.chunked), b.Received()[before:]
				if tt.size > keptBody {
					want := map[bool]int{true: http.StatusBadGateway, false: http.StatusServiceUnavailable}[name == "cut off"]
					if got.Status != want || len(more) > 0 {
						t.Errorf("got %d %s and the second was asked %d times", got.Status, got.Raw, len(more))
					}
					return
				}
				if got.Status != http.StatusOK || len(more) != 1 {
					t.Fatalf("got %d %s and the second was asked %d times", got.Status, got.Raw, len(more))
				}
				if more[0].Text != pattern(tt.size) || more[0].ContentLength != int64(tt.size) {
					t.Errorf("the second got %d bytes, announced as %d: want %d", len(more[0].Text), more[0].ContentLength, tt.size)
				}
			})
		}
	}
}

// A body of any size goes to the second backend while the first is not asked.
func TestLargeBodyGoesToTheFirstHealthyBackend(t *testing.T) {
	s := newUnloadedSite(t)
	a, b := testsite.NewTaker(t, plainly(500)), testsite.NewTaker(t, nil)
	const breaker = "\n breaker {\n consecutive 1\n open 1m\n }"
	s.Load(testsite.Backends("failover off\n buffer 64KiB", a.URL+breaker, b.URL))
	if got := s.Stream(); got.Status != http.StatusInternalServerError {
		t.Fatalf("got %d", got.Status)
	}
	if got := s.Stream(); got.Status != http.StatusServiceUnavailable || len(b.Received()) > 0 {
		t.Errorf("failover off: got %d, and the second was asked %d times", got.Status, len(b.Received()))
	}
	s.Load(testsite.Backends("buffer 64KiB", a.URL+breaker, b.URL))
	s.persistent()
	for i, tt := range bodies {
		got := s.sendBody(tt.size, tt.chunked)
		if got.Status != http.StatusOK || got.Reason() != "open" || len(b.Received()) != i+1 {
			t.Fatalf("%s: got %d because %q", tt.name, got.Status, got.Reason())
		}
		length := int64(tt.size)
		if tt.chunked { // the last backend gets it as it comes
			length = -1
		}
		if last := b.Received()[i]; last.Text != pattern(tt.size) || last.ContentLength != length {
			t.Errorf("%s: the second got %d bytes, announced as %d", tt.name, len(last.Text), last.ContentLength)
		}
	}
	if got := len(a.Received()); got != 1 {
		t.Errorf("the first was asked %d times", got)
	}
}

// A client that waits for 100 Continue gets it once, and its body is whole at
// the second backend.
func TestExpectContinueMoves(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, nil)
	s.Load(testsite.Backends("", testsite.OwnBackend(t, leaky(503)), b.URL))
	w := s.Dial()
	w.Send("POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nExpect: 100-continue\r\n" + sized(1<<10) + "\r\n\r\n")
	const goOn = "HTTP/1.1 100 Continue\r\n\r\n"
	if got := make([]byte, len(goOn)); true {
		if _, err := io.ReadFull(w.R, got); err != nil || string(got) != goOn {
			t.Fatalf("got %q and %v", got, err)
		}
	}
	w.Send(pattern(1 << 10))
	rest, err := io.ReadAll(w.R)
	if err != nil || strings.Count(string(rest), "HTTP/1.1 ") != 1 {
		t.Fatalf("got %q and %v", rest, err)
	}
	checkMoved(t, testsite.ParseAnswer(t, string(rest)), "status_5xx")
	if got := b.Only(t); got.Text != pattern(1<<10) {
		t.Errorf("the second got %d bytes", len(got.Text))
	}
}

// A client that does not send the body it has announced gets no backend asked.
func TestBodyThatBreaksOff(t *testing.T) {
	s := newUnloadedSite(t)
	a := testsite.NewTaker(t, nil)
	s.Load(testsite.Backends("", a.URL))
	canceled, closed := s.Metric(streamsCanceled), s.Metric(`attempts_total{provider="a",result="canceled"}`)
	w := s.Dial()
	if _, err := io.WriteString(w, "POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"+sized(100)+"\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	s.Await(streamsCanceled, canceled+1)
	if got := s.Metric(`attempts_total{provider="a",result="canceled"}`); got != closed || len(a.Received()) > 0 {
		t.Errorf("the backend was asked %d times", len(a.Received()))
	}
}

// A backend that answers before it has read the body is not kept waiting for a
// client that has stopped sending it; nor is the client, who can say nothing
// more on that connection.
func TestAnswerWhileTheBodyWaits(t *testing.T) {
	s := newSite(t, testsite.Backends("buffer 64KiB\n first_byte 5s", testsite.OwnBackend(t, plainly(422))))
	w := s.Dial()
	start := time.Now()
	w.Send("POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"+sized(8*keptBody)+"\r\n\r\n", pattern(2*keptBody))
	got, ok := w.Answer()
	if took := time.Since(start); !ok || got.Status != http.StatusUnprocessableEntity || took > 4*time.Second {
		t.Fatalf("got %d after %v", got.Status, took)
	}
	if _, more := w.Answer(); more {
		t.Error("the rest of the body was read as a request")
	}
}
