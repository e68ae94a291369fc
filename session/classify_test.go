package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The verdicts of the table: what is not said here is the zero value.
type row struct {
	name string
	err  error
	want session.Verdict
}

// failed is the verdict most rows share: a failure that goes on to the next.
func failed(reason session.Reason, status int) session.Verdict {
	return session.Verdict{Reason: reason, Effect: session.Failed, Next: true, Status: status}
}

func retried(v session.Verdict) session.Verdict { v.Retry = true; return v }

func cooled(v session.Verdict, d time.Duration) session.Verdict { v.Cooldown = d; return v }

// refusedCaller is the verdict on one caller, of whom the provider wants no more.
func refusedCaller(status int) session.Verdict {
	return session.Verdict{Reason: session.Rejected, Effect: session.Excluded, Status: status}
}

func runRows(t *testing.T, onward *session.StatusSet, rows []row) {
	t.Helper()
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			got := session.Classify(t.Context(), t.Context(), c.err, onward)
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func status(code int) *session.Failure { return &session.Failure{Status: code, Answered: true} }

func TestClassifyStatus(t *testing.T) {
	withCaller := func(code int) error { return &session.Failure{Status: code, CallerCredentials: true} }
	runRows(t, nil, []row{
		{"500", status(500), failed(session.Status5xx, 500)},
		{"502", status(502), failed(session.Status5xx, 502)},
		{"503 surely did nothing", status(503), retried(failed(session.Status5xx, 503))},
		{"504", status(504), failed(session.Status5xx, 504)},
		{"599", status(599), failed(session.Status5xx, 599)},
		{"408", status(408), failed(session.Status408, 408)},
		{"425", status(425), failed(session.Status425, 425)},
		{"429", status(429), failed(session.Status429, 429)},
		{"401 to our own key", status(401), failed(session.Misconfigured, 401)},
		{"404", status(404), failed(session.Misconfigured, 404)},
		{"405", status(405), failed(session.Misconfigured, 405)},
		{"501", status(501), failed(session.Misconfigured, 501)},
		{"401 to the caller", withCaller(401), refusedCaller(401)},
		{"403 to the caller", withCaller(403), refusedCaller(403)},
		{"403 to our own key", status(403), refusedCaller(403)},
		{"404 with credentials of the caller", withCaller(404), failed(session.Misconfigured, 404)},
		{"400", status(400), refusedCaller(400)},
		{"409", status(409), refusedCaller(409)},
		{"418", status(418), refusedCaller(418)},
		{"422", status(422), refusedCaller(422)},
		{"499", status(499), refusedCaller(499)},
		{"301 is not followed", status(301), failed(session.InvalidResponse, 301)},
		{"307 is not followed", status(307), failed(session.InvalidResponse, 307)},
		{"304", status(304), failed(session.InvalidResponse, 304)},
		{"101", status(101), failed(session.InvalidResponse, 101)},
		{"wrapped", fmt.Errorf("asking backend: %w", status(500)), failed(session.Status5xx, 500)},
	})
}

// A status above 599 is none of HTTP's classes: it was once taken for a 5xx,
// although no list of statuses can hold it.
func TestClassifyStatusOutsideOfHTTP(t *testing.T) {
	five, err := session.ParseStatusSet([]string{"5xx"})
	if err != nil {
		t.Fatal(err)
	}
	for _, onward := range []*session.StatusSet{nil, five} {
		runRows(t, onward, []row{
			{"600", status(600), failed(session.InvalidResponse, 600)},
			{"999", status(999), failed(session.InvalidResponse, 999)},
		})
	}
}

func TestClassifyReason(t *testing.T) {
	because := func(r session.Reason) error { return &session.Failure{Reason: r, Err: errors.New("cause")} }
	runRows(t, nil, []row{
		{"success", nil, session.Verdict{Effect: session.Success}},
		{"dial", because(session.Dial), retried(failed(session.Dial, 0))},
		{"dns", because(session.DNS), failed(session.DNS, 0)},
		{"tls", because(session.TLS), failed(session.TLS, 0)},
		{"timeout", because(session.Timeout), failed(session.Timeout, 0)},
		{"reset before an answer", because(session.Reset), retried(failed(session.Reset, 0))},
		{
			"reset within an answer", &session.Failure{Reason: session.Reset, Answered: true},
			failed(session.Reset, 0),
		},
		{"invalid response", session.Invalid("answer is %s", "empty"), failed(session.InvalidResponse, 0)},
		{"misconfigured", because(session.Misconfigured), failed(session.Misconfigured, 0)},
		{"rejected without a status", because(session.Rejected), refusedCaller(http.StatusForbidden)},
		{
			"canceled", because(session.Canceled),
			session.Verdict{Reason: session.Canceled, Effect: session.Excluded},
		},
		{"error of the transport", errors.New("EOF"), retried(failed(session.Reset, 0))},
		{
			"cut within the answer", &session.Failure{Answered: true, Err: errors.New("unexpected EOF")},
			failed(session.Reset, 0),
		},
		// Sendbird says in the body what its status does not.
		{
			"the provider knows better than its status",
			&session.Failure{Reason: session.Misconfigured, Status: 400}, failed(session.Misconfigured, 400),
		},
		{
			"a rejection with an odd status",
			&session.Failure{Reason: session.Rejected, Status: 500}, refusedCaller(500),
		},
	})
}

func TestClassifyCooldown(t *testing.T) {
	after := func(code int, d time.Duration) error {
		return &session.Failure{Status: code, RetryAfter: d, Answered: true}
	}
	const year = 365 * 24 * time.Hour
	runRows(t, nil, []row{
		{"429", after(429, time.Second), cooled(failed(session.Status429, 429), time.Second)},
		{"408", after(408, time.Second), cooled(failed(session.Status408, 408), time.Second)},
		{"425", after(425, time.Second), cooled(failed(session.Status425, 425), time.Second)},
		{"503 is kept out, not retried", after(503, time.Second), cooled(failed(session.Status5xx, 503), time.Second)},
		{
			"a limit of our own key", &session.Failure{Status: 429, RetryAfter: time.Second, KeyLimit: true},
			session.Verdict{
				Reason: session.Status429, Effect: session.Failed, Next: true, Status: 429, Cooldown: time.Second, KeyLimit: true,
			},
		},
		{"a limit of our own key, without a time", &session.Failure{Status: 429, KeyLimit: true}, failed(session.Status429, 429)},
		{"just at the cap", after(429, session.MaxCooldown), cooled(failed(session.Status429, 429), time.Minute)},
		{"above the cap", after(429, 61*time.Second), cooled(failed(session.Status429, 429), time.Minute)},
		{"ten years", after(429, 10*year), cooled(failed(session.Status429, 429), time.Minute)},
		{"500 has no cooldown", after(500, time.Second), failed(session.Status5xx, 500)},
		{"404 has no cooldown", after(404, time.Second), failed(session.Misconfigured, 404)},
		{"a refused caller has none", after(422, time.Second), refusedCaller(422)},
		{
			"without a status", &session.Failure{Reason: session.Status429, RetryAfter: 2 * time.Minute},
			cooled(failed(session.Status429, 0), time.Minute),
		},
	})
	t.Run("negative", func(t *testing.T) {
		v := session.Classify(t.Context(), t.Context(), after(503, -time.Second), nil)
		if v.Cooldown > 0 || !v.Retry {
			t.Errorf("got %+v, want a retry and no cooldown", v)
		}
	})
}
