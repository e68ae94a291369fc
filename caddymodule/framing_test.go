package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const canceledSessions = `sessions_total{outcome="canceled",route="session",served_by="none"}`

// smuggled fills a body of n bytes with requests: wherever the server stopped
// reading, one of them would be next.
func smuggled(n int) string {
	const request = "POST /api/custom/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
	return (strings.Repeat(request, n/len(request)+1))[:n]
}

// What is left of a body that was refused is never read as a request.
func TestNothingIsSmuggled(t *testing.T) {
	chunked := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	const second = "GET /second HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	tests := []struct {
		name, head, body string
		status           int
	}{
		{"one byte too large", head(sized(mostBody + 1)), smuggled(mostBody + 1), 413},
		{"twice too large", head(sized(2 * mostBody)), smuggled(2 * mostBody), 413},
		{"more than the server reads on", head(sized(1 << 20)), smuggled(1 << 20), 413},
		{"one byte too large, chunked", head("Transfer-Encoding: chunked"), chunked(smuggled(mostBody + 1)), 413},
		{"far too large, chunked", head("Transfer-Encoding: chunked"), chunked(smuggled(1 << 20)), 413},
		{"form", head(sized(300), "Content-Type: multipart/form-data"), smuggled(300), 415},
		{"large form", head(sized(1<<20), "Content-Type: multipart/form-data"), smuggled(1 << 20), 415},
		{"bad JSON", head(sized(300)), smuggled(300), 400},
		{"wrong method", strings.Replace(head(sized(300)), "POST", "PUT", 1), smuggled(300), 405},
		{"preflight", strings.Replace(head(sized(300), "Origin: https://a.test", "Access-Control-Request-Method: POST"), "POST", "OPTIONS", 1), smuggled(300), 204},
		{"other origin", head(sized(300), "Origin: https://evil.test"), smuggled(300), 403},
		{"two lengths", head(sized(2), sized(300)), smuggled(300), 400},
		{"length and chunks", head(sized(4), "Transfer-Encoding: chunked"), chunked(smuggled(300)), 400},
	}
	s := newSite(t, visitor+"\n cors {\n origins https://a.test\n }")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.Dial()
			w.Send(tt.head, tt.body, second)
			if a, ok := w.Answer(); !ok || a.Status != tt.status {
				t.Fatalf("got %d, want %d: %s", a.Status, tt.status, a.Raw)
			}
			if a, ok := w.Answer(); ok && a.Raw != "the app itself: GET /second" {
				t.Errorf("the next answer is %d %s", a.Status, a.Raw)
			}
		})
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 0 {
		t.Errorf("the providers were asked %d times, want never", got)
	}
}

// Good requests one behind the other are answered in their order.
func TestPipelining(t *testing.T) {
	s := newSite(t, "\n user {http.request.header.X-User}"+quick(""))
	w := s.Dial()
	const body = `{"model":"m"}`
	for _, user := range []string{"a", "", "b"} {
		fmt.Fprint(w, head(sized(len(body)), "X-User: "+user), body)
	}
	for i, status := range []int{200, 401, 200} {
		if a, ok := w.Answer(); !ok || a.Status != status {
			t.Errorf("answer %d is %d, want %d: %s", i, a.Status, status, a.Raw)
		}
	}
}

// A client that asks first is told to go on only where its body is wanted.
func TestExpectContinue(t *testing.T) {
	const expect, body = "Expect: 100-continue", `{"model":"m"}`
	tests := []struct {
		name, head, body string
		goOn             bool
		status           int
	}{
		{"good", head(sized(len(body)), expect), body, true, 200},
		{"too large", head(sized(mostBody+1), expect), padded(mostBody + 1), false, 413},
		{"form", head(sized(len(body)), expect, "Content-Type: multipart/form-data"), body, false, 415},
		{"wrong method", strings.Replace(head(sized(len(body)), expect), "POST", "PUT", 1), body, false, 405},
		{"other origin", head(sized(len(body)), expect, "Origin: https://evil.test"), body, false, 403},
		{"unknown expectation", head(sized(len(body)), "Expect: miracles"), body, false, 417},
	}
	s := newSite(t, visitor+"\n cors {\n origins https://a.test\n }")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.Dial()
			w.Send(tt.head)
			if tt.goOn {
				if a, ok := w.Answer(); !ok || a.Status != http.StatusContinue {
					t.Fatalf("got %d, want 100", a.Status)
				}
				w.Send(tt.body)
			}
			if a, ok := w.Answer(); !ok || a.Status != tt.status {
				t.Fatalf("got %d, want %d: %s", a.Status, tt.status, a.Raw)
			}
			if tt.goOn {
				return
			}
			w.Send(tt.body) // of a client that has not understood
			if a, ok := w.Answer(); ok {
				t.Errorf("its body was answered: %d %s", a.Status, a.Raw)
			}
		})
	}
}

// A client that leaves before its body is whole costs no provider a call.
func TestClientLeavesInItsBody(t *testing.T) {
	s := newSite(t, visitor)
	for name, start := range map[string]string{
		"sized":             head(sized(100)) + `{"model":`,
		"sized, whole JSON": head(sized(100)) + `{"model":"m"}`,
		"chunked":           head("Transfer-Encoding: chunked") + "d\r\n{\"model\":\"m\"}\r\n",
		"broken chunk":      head("Transfer-Encoding: chunked") + "d\r\n{\"mo",
	} {
		t.Run(name, func(*testing.T) {
			before := s.Metric(canceledSessions)
			w := s.Dial()
			fmt.Fprint(w, start)
			w.Close()
			s.Await(canceledSessions, before+1)
		})
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 0 {
		t.Errorf("the providers were asked %d times, want never", got)
	}
}
