package provider_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestPostSends(t *testing.T) {
	var method, target, host, body string
	var length int64
	var header http.Header
	u := start(t, func(_ http.ResponseWriter, r *http.Request) {
		method, target, host, header, length = r.Method, r.RequestURI, r.Host, r.Header.Clone(), r.ContentLength
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	})
	u.Header = http.Header{"User-Agent": {"ours"}, "X-Both": {"client"}, "X-Client": {"1"}}
	call := &provider.Call{Body: []byte(`{"a":1}`), Header: http.Header{"X-Both": {"call"}, "X-Call": {"2", "3"}}}
	if err := u.Post(t.Context(), call, func([]byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if method != http.MethodPost || target != "/api/sessions?v=1" || host != u.URL.Host || body != `{"a":1}` || length != 7 {
		t.Errorf("got %s %s of %s with %q (%d)", method, target, host, body, length)
	}
	want := http.Header{
		"User-Agent": {"ours"}, "X-Both": {"call"}, "X-Client": {"1"}, "X-Call": {"2", "3"}, "Content-Length": {"7"},
	}
	if !reflect.DeepEqual(header, want) {
		t.Errorf("got header %v, want %v", header, want)
	}
	if got := u.Header.Get("X-Both"); got != "client" || len(u.Header) != 3 {
		t.Errorf("the client's own header became %v", u.Header)
	}
}

func TestPostToTheURLOfTheCall(t *testing.T) {
	var target string
	u := start(t, func(_ http.ResponseWriter, r *http.Request) { target = r.RequestURI })
	other := *u.URL
	other.Path, other.RawQuery = "/elsewhere", "user_id=u%201"
	if err := u.Post(t.Context(), &provider.Call{URL: &other}, func([]byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if target != "/elsewhere?user_id=u%201" || u.URL.Path != "/api/sessions" {
		t.Errorf("asked %s, the client's URL is %s", target, u.URL)
	}
}

func TestPostStatus(t *testing.T) {
	cases := []struct {
		status int
		judged bool
	}{
		{200, true}, {201, true}, {204, true}, {299, true},
		{300, false}, {304, false}, {400, false}, {401, false}, {404, false}, {418, false}, {429, false}, {500, false}, {503, false}, {599, false}, {999, false},
	}
	for _, c := range cases {
		t.Run(strconv.Itoa(c.status), func(t *testing.T) {
			u := start(t, replies(c.status, ""))
			_, judged, err := u.ask(t.Context())
			if judged != c.judged || (err == nil) != c.judged {
				t.Fatalf("judged: %t, error: %v", judged, err)
			}
			if err == nil {
				return
			}
			if f := failure(t, err); f.Status != c.status || !f.Answered || f.Reason != "" {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestPostDoesNotFollowRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			asked := 0
			u := start(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				http.Redirect(w, r, "/elsewhere", status)
			})
			_, judged, err := u.ask(t.Context())
			if judged || asked != 1 || failure(t, err).Status != status {
				t.Errorf("asked %d times, judged: %t, error: %v", asked, judged, err)
			}
		})
	}
}

func TestPostRefusalTellsWhatItKnows(t *testing.T) {
	u := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":"planted"}`)
	})
	for _, caller := range []bool{false, true} {
		err := u.Post(t.Context(), &provider.Call{CallerCredentials: caller}, nil)
		f := failure(t, err)
		if f.RetryAfter != 7*time.Second || f.CallerCredentials != caller {
			t.Errorf("got %+v", f)
		}
		if strings.Contains(err.Error(), "planted") {
			t.Errorf("the error repeats the body: %v", err)
		}
	}
}

func TestPostReturnsTheJudgment(t *testing.T) {
	u := start(t, replies(200, `{}`))
	verdict := errors.New("no good")
	if err := u.Post(t.Context(), &provider.Call{}, func([]byte) error { return verdict }); !errors.Is(err, verdict) {
		t.Errorf("got %v", err)
	}
}

// roundTripper is a transport that the test controls.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPostReturnsTheTransportsErrorAsItIs(t *testing.T) {
	broken := errors.New("broken")
	c := provider.Client{URL: &url.URL{Scheme: "http", Host: "x.test"}, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, broken
	})}
	if err := c.Post(t.Context(), &provider.Call{}, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// A transport may send the body again on a fresh connection.
func TestPostBodyCanBeSentAgain(t *testing.T) {
	c := provider.Client{URL: &url.URL{Scheme: "http", Host: "x.test"}, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		for range 3 {
			again, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			if b, _ := io.ReadAll(again); string(b) != `{"a":1}` {
				t.Errorf("got body %q", b)
			}
		}
		return nil, errors.New("done")
	})}
	_ = c.Post(t.Context(), &provider.Call{Body: []byte(`{"a":1}`)}, nil)
}

// Answers are parsed in pooled buffers: none may see another's bytes.
func TestPostConcurrently(t *testing.T) {
	u := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	u.Header = http.Header{"X-Client": {"1"}}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			body := strings.Repeat(string(rune('a'+i)), 1+i*4000)
			call := &provider.Call{Body: []byte(body), Header: http.Header{"X-Call": {body[:1]}}}
			for range 10 {
				err := u.Post(t.Context(), call, func(b []byte) error {
					if string(b) != body {
						return session.Invalid("got %d bytes, want %d", len(b), len(body))
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestPostEndsWithItsContext(t *testing.T) {
	u := start(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, judged, err := u.ask(ctx)
	v := session.Classify(t.Context(), ctx, err, nil)
	if judged || v.Reason != session.Timeout {
		t.Errorf("judged: %t, error: %v, verdict: %+v", judged, err, v)
	}
}
