package caddymodule_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// backends is a chatkit block with a backend for each address, called a, b, …
// in order of preference, and with more options. An address may have options of
// its own behind it.
func backends(options string, urls ...string) string {
	text := "\n anonymous\n " + options
	for i, url := range urls {
		url, own, _ := strings.Cut(url, "\n")
		text += fmt.Sprintf("\n provider backend %s {\n name %c\n retries 0\n %s\n }", url, 'a'+i, own)
	}
	return text
}

// received is a request as a backend got it.
type received struct {
	*http.Request
	body string
}

// taker is a backend that takes every request and keeps it.
type taker struct {
	URL  string
	then http.HandlerFunc

	mu  sync.Mutex
	all []received
}

// newTaker starts one that answers as a test has it, nil: with an event.
func newTaker(t *testing.T, then http.HandlerFunc) *taker {
	t.Helper()
	k := &taker{then: then}
	if then == nil {
		k.then = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: taken\n\n")
		}
	}
	k.URL = ownBackend(t, k.take)
	return k
}

func (k *taker) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = append(body, " and "+err.Error()...)
	}
	k.mu.Lock()
	k.all = append(k.all, received{r, string(body)})
	k.mu.Unlock()
	k.then(w, r)
}

// received are the requests so far.
func (k *taker) received() []received {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all
}

// only is the one request there was.
func (k *taker) only(t *testing.T) received {
	t.Helper()
	all := k.received()
	if len(all) != 1 {
		t.Fatalf("the backend got %d requests, want 1", len(all))
	}
	return all[0]
}

// stream sends a stream request.
func (s *site) stream(headers ...string) answer {
	s.t.Helper()
	return s.post("/api/custom/stream", `{"message":"hi"}`, headers...)
}

// raw sends a request as it stands and returns all that comes back for it, up
// to the end of the connection.
func (s *site) raw(request string) string {
	s.t.Helper()
	w := s.dial()
	w.send(request)
	all, err := io.ReadAll(w.r)
	if err != nil {
		s.t.Error(err)
	}
	return string(all)
}

// begun is an answer that has begun, and ends with the test at the latest.
type begun struct{ *http.Response }

// open sends a stream request and returns its answer as soon as it begins.
func (s *site) open(headers ...string) begun {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+"/api/custom/stream", strings.NewReader(`{}`))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.awaitItsLog(resp)
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return begun{resp}
}

// awaitItsLog makes the test end only when the site has written the log of an
// answer: it does that on its own time, but must not once the directory of the
// log is gone.
func (s *site) awaitItsLog(resp *http.Response) {
	s.t.Helper()
	s.t.Cleanup(func() {
		if id := resp.Header.Get("X-Request-Id"); id != "" {
			s.awaitLogged("access.log", id)
		}
	})
}

// receive is the next value of a channel, which has to come soon.
func receive[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(10 * time.Second):
		t.Fatal("waited in vain")
	}
	return v
}

// parsed is an answer that came as text.
func parsed(t *testing.T, raw string) answer {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	a := answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(body)}
	_ = json.Unmarshal(body, &a.Body)
	return a
}
