package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const post = "POST /api/custom/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"

// failsOnce is a backend that fails the first request and works from then on.
func failsOnce(t *testing.T, then http.HandlerFunc) *testsite.Taker {
	t.Helper()
	failed := false
	return testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		if !failed { // one request at a time
			failed = true
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		then(w, r)
	})
}

// A client that sends its body byte by byte does not hold the probe of a half-open
// breaker: others are let through, and close it.
func TestTrickledBodyIsNoProbe(t *testing.T) {
	const trips = "\n breaker {\n consecutive 1\n open 50ms\n }"
	for name, tt := range map[string]struct {
		header string
		status int // 0: it is still read
	}{
		"too long to be kept": {sized(2<<20) + "\r\n\r\n", http.StatusServiceUnavailable},
		"kept":                {sized(1<<20) + "\r\n\r\n", 0},
		"chunked":             {"Transfer-Encoding: chunked\r\n\r\n1\r\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			b := failsOnce(t, giveSession)
			s.Load(testsite.Backends("", b.URL+trips))
			s.Stream()
			s.Await(`breaker_state{provider="a",state="half_open"}`, 1)
			for range 3 {
				w := s.Dial()
				w.Send(post + tt.header + "{")
				if tt.status == 0 {
					continue
				}
				if a, ok := w.Answer(); !ok || a.Status != tt.status {
					t.Errorf("got %d", a.Status)
				}
			}
			s.Await(inFlightStream, map[bool]float64{true: 3}[tt.status == 0])
			if a := s.Session(); a.Status != http.StatusOK || a.Provider() != "a" {
				t.Errorf("got %d by %q: %s", a.Status, a.Provider(), a.Raw)
			}
			s.Await(`breaker_state{provider="a",state="closed"}`, 1)
			if n := len(b.Received()); n != 2 {
				t.Errorf("the backend was asked %d times", n)
			}
		})
	}
}

// While every breaker is open nothing of a body is waited for.
func TestStalledBodyForAnOpenBreaker(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, plainly(500))
	s.Load(testsite.Backends("", b.URL+"\n breaker {\n consecutive 1\n open 1m\n }"))
	s.Stream()
	for _, size := range []int{100, 1 << 20} {
		w := s.Dial()
		start := time.Now()
		w.Send(post + sized(size) + "\r\n\r\n{")
		if a, ok := w.Answer(); !ok || a.Status != http.StatusServiceUnavailable || time.Since(start) > 5*time.Second {
			t.Errorf("got %d after %s", a.Status, time.Since(start))
		}
		if _, more := w.Answer(); more {
			t.Error("the rest of the body was taken for a request")
		}
	}
	s.persistent() // one whose body has come goes on
	for range 3 {
		if a := s.Stream(); a.Status != http.StatusServiceUnavailable {
			t.Errorf("got %d", a.Status)
		}
	}
	if n := len(b.Received()); n != 1 {
		t.Errorf("the backend was asked %d times", n)
	}
}

// A body that stalls ends with a problem, kept or not, and says nothing about the
// backend.
func TestStalledBody(t *testing.T) {
	for name, tt := range map[string]struct {
		header, sent string
		backends     int
		asked        float64
	}{
		"kept":                {sized(1 << 20), pattern(50 << 10), 2, 0},
		"small":               {sized(100), "{", 1, 0},
		"not a byte of it":    {sized(1 << 20), "", 2, 0},
		"chunked":             {"Transfer-Encoding: chunked", "5\r\nhello\r\n", 2, 0},
		"sent on":             {sized(1 << 20), pattern(50 << 10), 1, 1},
		"too long to be kept": {sized(8 << 20), pattern(50 << 10), 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			url := testsite.OwnBackend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
			s.Load(testsite.Backends("first_byte 400ms", []string{url + "\n breaker {\n consecutive 1\n }", url}[:tt.backends]...))
			const canceled = `attempts_total{provider="a",result="canceled"}`
			before, failed := s.Metric(canceled), s.Metric(streamsFailed)
			w := s.Dial()
			start := time.Now()
			w.Send(post + tt.header + "\r\n\r\n" + tt.sent)
			a, ok := w.Answer()
			if took := time.Since(start); !ok || a.Status != http.StatusRequestTimeout || a.Body["code"] != "BODY_TIMEOUT" || took < 400*time.Millisecond {
				t.Errorf("got %d %s after %s", a.Status, a.Raw, took)
			}
			once(t, a, "Access-Control-Allow-Origin", "*")
			if _, more := w.Answer(); more {
				t.Error("the connection goes on")
			}
			s.Await(streamsFailed, failed+1)
			if got := s.Metric(canceled) - before; got != tt.asked || s.Metric(`breaker_state{provider="a",state="closed"}`) != 1 {
				t.Errorf("the backend was asked %v times, want %v, or its breaker is open", got, tt.asked)
			}
		})
	}
}

// The same over HTTP/2, where other requests of the connection go on.
func TestStalledBodyOverHTTP2(t *testing.T) {
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, nil)
	s.LoadText(s.secure(testsite.Backends("first_byte 400ms", b.URL, b.URL)))
	s.Client.Transport = protocols["HTTP/2.0"]()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = io.WriteString(w, "{") }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/custom/stream", r)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if a, err := testsite.ReadAnswer(resp); err != nil || a.Status != http.StatusRequestTimeout || len(b.Received()) != 0 {
		t.Errorf("got %d %s and %v", a.Status, a.Raw, err)
	}
	if a := s.Stream(); a.Status != http.StatusOK || a.Provider() != "a" {
		t.Errorf("then got %d", a.Status)
	}
}

// Many clients that stall take no more memory than the process may give them, and
// end in time.
func TestManyStalledBodies(t *testing.T) {
	const n, total = 200, 8 << 20
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	s.Load(testsite.Backends(fmt.Sprintf("buffer_total %d\n first_byte 5s", total), url, url))
	request := []byte(post + sized(1<<20) + "\r\n\r\n" + pattern(128<<10))
	before := heap()
	statuses := make(chan int, n)
	for range n {
		w := s.Dial()
		go func() {
			_, _ = w.Write(request)
			a, _ := w.Answer()
			statuses <- a.Status
		}()
	}
	most, buffered := 0.0, 0.0
	for len(statuses) < n {
		buffered = max(buffered, s.Metric("buffered_bytes"))
		most = max(most, heap()-before)
		time.Sleep(50 * time.Millisecond)
	}
	if most > 48<<20 || buffered > total || buffered < total/2 {
		t.Errorf("the heap grew by %.0f MiB, %v bytes were buffered", most/(1<<20), buffered)
	}
	for range n {
		if status := <-statuses; status != http.StatusRequestTimeout {
			t.Fatalf("got %d", status)
		}
	}
	s.Await(inFlightStream, 0)
	s.Await("buffered_bytes", 0)
}

// heap returns the bytes in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// A body that is longer than the site takes is refused by its length, sent in
// chunks or not, kept or sent on.
func TestBodyTooLargeForTheSite(t *testing.T) {
	for _, options := range []string{"", "buffer 64KiB"} {
		for _, chunked := range []bool{true, false} {
			for _, backends := range []int{1, 2} {
				s := newUnloadedSite(t)
				b := testsite.NewTaker(t, nil)
				s.LoadText(strings.Replace(s.Caddyfile(testsite.Backends(options, []string{b.URL, b.URL}[:backends]...)),
					"route {", "route {\n request_body {\n max_size 100KiB\n }", 1))
				a := s.sendBody(200<<10, chunked)
				if a.Status != http.StatusRequestEntityTooLarge {
					t.Errorf("%q, chunked %t, %d backends: got %d %s", options, chunked, backends, a.Status, a.Raw)
				}
				if s.Metric(`breaker_state{provider="a",state="closed"}`) != 1 {
					t.Error("the breaker is open")
				}
			}
		}
	}
}
