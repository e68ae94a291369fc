package testsite

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Answer is what a client gets.
type Answer struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any // nil where it is not a JSON object
	Took   time.Duration
}

// Provider is the header that says who answered.
func (a Answer) Provider() string { return a.Header.Get("X-ChatKit-Provider") }

// Reason is the header that says why the first provider did not.
func (a Answer) Reason() string { return a.Header.Get("X-ChatKit-Fallback-Reason") }

// Secret is the session's secret.
func (a Answer) Secret() string {
	s, _ := a.Body["client_secret"].(string)
	return s
}

// Is checks the status of an answer, the provider that gave it and, of a
// fallback, the reason: "200 openai dial".
func (a Answer) Is(t *testing.T, want string) {
	t.Helper()
	if got := strings.TrimSpace(fmt.Sprint(a.Status, " ", a.Provider(), " ", a.Reason())); got != want {
		t.Errorf("got %q, want %q: %s", got, want, a.Raw)
	}
}

// ReadAnswer reads an answer to its end, as far as it came.
func ReadAnswer(resp *http.Response) (Answer, error) {
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(raw)}
	_ = json.Unmarshal(raw, &a.Body)
	return a, err
}

// Request returns a request with headers ("Name: value").
func Request(ctx context.Context, method, url, body string, headers ...string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r, nil
}

// Try sends a request that may fail.
func Try(ctx context.Context, client *http.Client, method, url, body string, headers ...string) (Answer, error) {
	r, err := Request(ctx, method, url, body, headers...)
	if err != nil {
		return Answer{}, err
	}
	start := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	a, err := ReadAnswer(resp)
	a.Took = time.Since(start)
	return a, err
}

// Do sends a request.
func Do(t *testing.T, client *http.Client, method, url, body string, headers ...string) Answer {
	t.Helper()
	a, err := Try(t.Context(), client, method, url, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Try sends the site a request that may fail, or one from another goroutine.
func (s *Site) Try(method, path, body string, headers ...string) (Answer, error) {
	return Try(s.T.Context(), s.Client, method, s.URL+path, body, headers...)
}

// Do sends the site a request.
func (s *Site) Do(method, path, body string, headers ...string) Answer {
	s.T.Helper()
	return Do(s.T, s.Client, method, s.URL+path, body, headers...)
}

// Post sends a request with a body.
func (s *Site) Post(path, body string, headers ...string) Answer {
	s.T.Helper()
	return s.Do(http.MethodPost, path, body, headers...)
}

// Session sends the plainest session request.
func (s *Site) Session(headers ...string) Answer {
	s.T.Helper()
	return s.Post("/api/custom/session", "", headers...)
}

// Stream sends a stream request.
func (s *Site) Stream(headers ...string) Answer {
	s.T.Helper()
	return s.Post("/api/custom/stream", `{"message":"hi"}`, headers...)
}

// Get reads a page of the admin API or of the site, by its URL. Right after a
// reload a connection can still be taken, and closed, by the server that goes; so
// it asks again.
func (s *Site) Get(url string) string {
	s.T.Helper()
	if a, err := Try(s.T.Context(), s.Client, http.MethodGet, url, ""); err == nil {
		return a.Raw
	}
	return Do(s.T, s.Client, http.MethodGet, url, "").Raw
}

// Begun is an answer that has begun, and ends with the test at the latest.
type Begun struct{ *http.Response }

// Open sends a stream request and returns its answer as soon as it begins.
func (s *Site) Open(headers ...string) Begun {
	s.T.Helper()
	r, err := Request(s.T.Context(), http.MethodPost, s.URL+"/api/custom/stream", "{}", headers...)
	if err != nil {
		s.T.Fatal(err)
	}
	resp, err := s.Client.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	s.AwaitItsLog(resp)
	s.T.Cleanup(func() { _ = resp.Body.Close() })
	return Begun{resp}
}
