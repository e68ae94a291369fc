package session_test

import (
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func stays(v session.Verdict) session.Verdict { v.Next = false; return v }

// moved is a refused caller who is sent on by the operator's own list: the
// breaker does not count it.
func moved(code int) session.Verdict {
	return session.Verdict{Reason: session.Status4xx, Effect: session.Excluded, Next: true, Status: code}
}

func TestClassifyOnward(t *testing.T) {
	caller := func(code int) error { return &session.Failure{Status: code, CallerCredentials: true} }
	cases := []struct {
		name  string
		words []string
		rows  []row
	}{
		{"the seed's 4xx 5xx", []string{"4xx", "5xx"}, []row{
			{"400", status(400), moved(400)},
			{"401 to the caller", caller(401), moved(401)},
			{"401 to our own key", status(401), failed(session.Misconfigured, 401)},
			{"403", caller(403), moved(403)},
			{"429", status(429), failed(session.Status429, 429)},
			{"500", status(500), failed(session.Status5xx, 500)},
		}},
		{"403 alone", []string{"403"}, []row{
			{"403", status(403), moved(403)},
			{"422", status(422), refusedCaller(422)},
			{"500 ends the chain", status(500), stays(failed(session.Status5xx, 500))},
			{"503 is still retried", status(503), stays(retried(failed(session.Status5xx, 503)))},
			{"404 ends the chain", status(404), stays(failed(session.Misconfigured, 404))},
			{"429 ends the chain", status(429), stays(failed(session.Status429, 429))},
			{"301 has no place in the list", status(301), failed(session.InvalidResponse, 301)},
			{"no status goes on", &session.Failure{Reason: session.Dial}, retried(failed(session.Dial, 0))},
			{"invalid answer goes on", session.Invalid("no"), failed(session.InvalidResponse, 0)},
			{"rejected without a status", &session.Failure{Reason: session.Rejected}, refusedCaller(403)},
		}},
		{"nothing", []string{}, []row{
			{"500", status(500), stays(failed(session.Status5xx, 500))},
			{"422", status(422), refusedCaller(422)},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, err := session.ParseStatusSet(c.words)
			if err != nil {
				t.Fatal(err)
			}
			runRows(t, set, c.rows)
		})
	}
}
