package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func runCarried(t *testing.T, onward *session.StatusSet, rows []row) {
	t.Helper()
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			got := session.ClassifyCarried(t.Context(), t.Context(), c.err, onward)
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestClassifyCarriedStatus(t *testing.T) {
	after := func(code int) error {
		return &session.Failure{Status: code, RetryAfter: time.Minute, Answered: true}
	}
	passed := func(code int) session.Verdict { return session.Verdict{Status: code} }
	rows := []row{
		{"accepted", nil, session.Verdict{Effect: session.Success}},
		{"200", status(200), session.Verdict{Effect: session.Success, Status: 200}},
		{"204", status(204), session.Verdict{Effect: session.Success, Status: 204}},
		{"101", status(101), session.Verdict{Effect: session.Success, Status: 101}},
		{"302 says nothing", status(302), passed(302)},
		{"304 says nothing", status(304), passed(304)},
		{"500", status(500), failed(session.Status5xx, 500)},
		{"501", status(501), failed(session.Misconfigured, 501)},
		{"503", status(503), retried(failed(session.Status5xx, 503))},
		{"503 with Retry-After", after(503), cooled(failed(session.Status5xx, 503), time.Minute)},
		{"600", status(600), failed(session.InvalidResponse, 600)},
		{"429 with Retry-After is the caller's", after(429), refusedCaller(429)},
		{"wrapped", fmt.Errorf("carrying: %w", status(500)), failed(session.Status5xx, 500)},
		{
			"200 of another kind than was asked for", &session.Failure{Status: 200, Reason: session.InvalidResponse},
			failed(session.InvalidResponse, 0),
		},
		{
			"200, cut", &session.Failure{Status: 200, Answered: true, Err: io.ErrUnexpectedEOF},
			failed(session.Reset, 0),
		},
	}
	for code := 400; code < 500; code++ {
		rows = append(rows, row{fmt.Sprint(code), status(code), refusedCaller(code)})
	}
	runCarried(t, nil, rows)
}

func TestClassifyCarriedFallbackOn(t *testing.T) {
	set, err := session.ParseStatusSet([]string{"404", "500"})
	if err != nil {
		t.Fatal(err)
	}
	runCarried(t, set, []row{
		{"a 4xx on the list", status(404), moved(404)},
		{"a 4xx that is not", status(429), refusedCaller(429)},
		{"a 5xx on the list", status(500), failed(session.Status5xx, 500)},
		{"a 5xx that is not", status(502), stays(failed(session.Status5xx, 502))},
		{"a redirect", status(302), session.Verdict{Status: 302}},
		{"no status", &session.Failure{Reason: session.Dial}, retried(failed(session.Dial, 0))},
	})
}

func TestClassifyCarriedWithoutAnswer(t *testing.T) {
	unsendable := session.Verdict{Reason: session.Rejected, Status: http.StatusBadRequest}
	runCarried(t, nil, []row{
		{"no connection", &net.OpError{Op: "dial", Err: errors.New("refused")}, retried(failed(session.Dial, 0))},
		{"cut before the answer", io.ErrUnexpectedEOF, retried(failed(session.Reset, 0))},
		{"the transport's own timeout", context.DeadlineExceeded, failed(session.Timeout, 0)},
		{"the client's fault", &session.Failure{Reason: session.Canceled}, session.Verdict{Reason: session.Canceled}},
		{"invalid header for HTTP/1.1", errors.New(`net/http: invalid header field name ":protocol"`), unsendable},
		{"invalid header for HTTP/2", errors.New(`http2: invalid Upgrade request header: ["x"]`), unsendable},
		{"wrapped", fmt.Errorf("sending: %w", errors.New(`net/http: invalid method "A B"`)), unsendable},
		{"the words of a backend", errors.New(`malformed HTTP response "invalid header field"`), retried(failed(session.Reset, 0))},
	})
	ended := []struct {
		name             string
		request, attempt func(context.Context) context.Context
		want             session.Verdict
	}{
		{"client gone", gone, alive, session.Verdict{Reason: session.Canceled}},
		{"out of time for the first byte", alive, gone, failed(session.Timeout, 0)},
	}
	for _, c := range ended {
		t.Run(c.name, func(t *testing.T) {
			ctx := c.request(t.Context())
			if got := session.ClassifyCarried(ctx, c.attempt(ctx), io.EOF, nil); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// The words are net/http's own, which has no type for these errors.
func TestClassifyCarriedKnowsTheWordsOfNetHTTP(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"header name":  func(r *http.Request) { r.Header[":protocol"] = []string{"websocket"} },
		"header value": func(r *http.Request) { r.Header["X-A"] = []string{"a\nb"} },
		"method":       func(r *http.Request) { r.Method = "A B" },
		"trailer":      func(r *http.Request) { r.Trailer = http.Header{"A B": {"x"}} },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			change(r)
			resp, err := new(http.Transport).RoundTrip(r)
			if err == nil {
				_ = resp.Body.Close()
				t.Fatal("the transport sent it")
			}
			v := session.ClassifyCarried(t.Context(), t.Context(), err, nil)
			if v.Effect != session.Excluded || v.Reason != session.Rejected || v.Status != http.StatusBadRequest {
				t.Errorf("got %+v for %v", v, err)
			}
		})
	}
}
