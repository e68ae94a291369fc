package handback_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/caddy-chatkit/caddy-chatkit/internal/handback"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of 32 bytes, no less no"))

// post is a request as the app got it.
type post struct {
	http.Header

	User   string
	Thread string `json:"thread_id"`
	Items  []struct {
		ID, Type string
		Content  []struct{ Text string }
	}
}

// app is the endpoint. It verifies signatures with the library.
type app struct {
	*testing.T
	*httptest.Server

	status atomic.Int32
	mu     sync.Mutex
	got    []post
	signal chan struct{}
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{T: t, signal: make(chan struct{}, 100)}
	a.status.Store(http.StatusNoContent)
	verifier, err := webhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Error(err)
		}
		p := post{Header: r.Header}
		if err := json.Unmarshal(body, &p); err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		a.got = append(a.got, p)
		a.mu.Unlock()
		w.WriteHeader(int(a.status.Load()))
		a.signal <- struct{}{}
	}))
	t.Cleanup(a.Close)
	return a
}

// await returns the requests as soon as there are so many.
func (a *app) await(n int) []post {
	a.Helper()
	for {
		a.mu.Lock()
		got := append([]post(nil), a.got...)
		a.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-a.signal:
		case <-time.After(20 * time.Second):
			a.Fatalf("%d requests, want %d", len(got), n)
		}
	}
}

// store returns a store with a thread in which something was missed.
func store(t *testing.T, ids ...string) *threads.Memory {
	t.Helper()
	m := threads.NewMemory(threads.Standard)
	t.Cleanup(m.Close)
	for _, id := range ids {
		th := &threads.Thread{ID: id, User: "ann", Changed: time.Now(), Items: []threads.Item{
			{ID: "msg_0", Role: standin.User, Text: "before"},
			{ID: "msg_1", Role: standin.User, Text: "Hi", Said: true, Missed: true},
			{ID: "msg_2", Role: standin.Assistant, Text: "Hello", Said: true, Missed: true},
		}}
		if err := m.Put(t.Context(), threads.Owner{Scope: "s"}, th); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// send starts a sender.
func send(t *testing.T, a *app, m threads.Store, back func(time.Time) bool) (s *handback.Sender, troubles *atomic.Int32) {
	t.Helper()
	to, err := handback.NewEndpoint(a.URL+"/missed?token=secret", secret)
	if err != nil {
		t.Fatal(err)
	}
	troubles = new(atomic.Int32)
	s = handback.New(to, m, func() string { return "s" }, back, func(err error) {
		troubles.Add(1)
		if strings.Contains(err.Error(), "token") {
			t.Errorf("the error shows the URL: %v", err)
		}
	})
	s.Start()
	t.Cleanup(s.Close)
	return s, troubles
}

func always(time.Time) bool { return true }

// Every thread is told once, signed, with what was missed in it and nothing else.
func TestHandback(t *testing.T) {
	a, m := newApp(t), store(t, "thr_1", "thr_si_2")
	s, troubles := send(t, a, m, always)
	s.Wake()
	got := a.await(2)
	for i, id := range []string{"thr_1", "thr_si_2"} {
		p := got[i]
		if p.User != "ann" || p.Thread != id || len(p.Items) != 2 || p.Items[0].Type != "user_message" ||
			p.Items[1].Content[0].Text != "Hello" || p.Get("Webhook-Id") == "" {
			t.Errorf("got %+v", p)
		}
	}
	s.Wake()
	time.Sleep(50 * time.Millisecond)
	if n := len(a.await(2)); n != 2 || troubles.Load() != 0 {
		t.Errorf("%d requests, %d troubles", n, troubles.Load())
	}
	missed, _ := m.Missed(t.Context(), "s", 9)
	th, _ := m.Get(t.Context(), threads.Key{Owner: threads.Owner{Scope: "s"}, ID: "thr_si_2"})
	if len(missed) != 0 || len(th.Items) != 3 {
		t.Errorf("missed %v, left %+v", missed, th)
	}
}

// Nothing is told while the backends are away.
func TestNotYet(t *testing.T) {
	a, m := newApp(t), store(t, "thr_1")
	var back atomic.Bool
	s, _ := send(t, a, m, func(time.Time) bool { return back.Load() })
	s.Wake()
	time.Sleep(50 * time.Millisecond)
	if n := len(a.await(0)); n != 0 {
		t.Errorf("%d requests", n)
	}
	back.Store(true)
	s.Wake()
	a.await(1)
}

// What was not taken is told again, with the same id, also by the next sender; what
// was deleted meanwhile is not.
func TestAtLeastOnce(t *testing.T) {
	a, m := newApp(t), store(t, "thr_1", "thr_2")
	a.status.Store(http.StatusInternalServerError)
	s, troubles := send(t, a, m, always)
	s.Wake()
	first := a.await(2)
	for end := time.Now().Add(10 * time.Second); troubles.Load() != 2; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d troubles", troubles.Load())
		}
	}
	s.Close()
	_ = m.Delete(t.Context(), threads.Key{Owner: threads.Owner{Scope: "s"}, ID: "thr_1"})
	a.status.Store(http.StatusOK)
	next, _ := send(t, a, m, always)
	next.Wake()
	got := a.await(3)
	if len(got) != 3 || got[2].Thread != "thr_2" || got[2].Get("Webhook-Id") != first[1].Get("Webhook-Id") {
		t.Errorf("got %+v", got)
	}
}

// Nobody is told anything by a sender that was closed before it was started.
func TestClosed(t *testing.T) {
	a, m := newApp(t), store(t, "thr_1")
	to, _ := handback.NewEndpoint(a.URL, secret)
	s := handback.New(to, m, func() string { return "s" }, always, func(error) {})
	s.Close()
	s.Start()
	s.Wake()
	time.Sleep(20 * time.Millisecond)
	if n := len(a.await(0)); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestSecret(t *testing.T) {
	for _, bad := range []string{"whsec_", "whsec_!", "whsec_c2hvcnQ=", "short"} {
		if _, err := handback.NewEndpoint("http://a", bad); err == nil || strings.Contains(err.Error(), bad) && bad != "whsec_" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, good := range []string{"", secret, strings.TrimPrefix(secret, "whsec_")} {
		if _, err := handback.NewEndpoint("http://a", good); err != nil {
			t.Error(fmt.Errorf("%s: %w", good, err))
		}
	}
}
