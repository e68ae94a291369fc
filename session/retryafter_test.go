package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The headers, as net/http writes their names.
const (
	standard = "Retry-After"
	millis   = "Retry-After-Ms"
	sendbird = "X-Ratelimit-Retryafter"
)

var now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)

func date(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }

func TestRetryAfter(t *testing.T) {
	cases := []struct {
		name  string
		pairs []string
		want  time.Duration
	}{
		{"none", nil, 0},
		{"seconds", []string{standard, "7"}, 7 * time.Second},
		{"seconds with spaces", []string{standard, " 7 "}, 7 * time.Second},
		{"fraction of a second", []string{standard, "0.5"}, 500 * time.Millisecond},
		{"zero", []string{standard, "0"}, 0},
		{"negative", []string{standard, "-7"}, 0},
		{"HTTP date", []string{standard, date(90 * time.Second)}, 90 * time.Second},
		{"HTTP date that has passed", []string{standard, date(-time.Second)}, 0},
		{"HTTP date of this moment", []string{standard, date(0)}, 0},
		{"HTTP date in ten years", []string{standard, date(87600 * time.Hour)}, 87600 * time.Hour},
		{"RFC 850 date", []string{standard, "Friday, 20-Nov-26 20:00:05 GMT"}, 5 * time.Second},
		{"ten years in seconds", []string{standard, "315360000"}, 315360000 * time.Second},
		{"more than a duration holds", []string{standard, "1e300"}, 1e9 * time.Second},
		{"hundreds of digits", []string{standard, strings.Repeat("9", 400)}, 0},
		{"word", []string{standard, "soon"}, 0},
		{"empty", []string{standard, ""}, 0},
		{"not a number", []string{standard, "NaN"}, 0},
		{"infinity", []string{standard, "Inf"}, 0},
		{"infinity spelled out", []string{millis, "+Infinity"}, 0},
		{"number with a unit", []string{standard, "7s"}, 0},
		{"milliseconds", []string{millis, "250"}, 250 * time.Millisecond},
		{"milliseconds win", []string{millis, "250", standard, "1"}, 250 * time.Millisecond},
		{"bad milliseconds do not", []string{millis, "x", standard, "1"}, time.Second},
		{"negative milliseconds do not", []string{millis, "-5", standard, "1"}, time.Second},
		{"Sendbird's fraction", []string{sendbird, "0.0697"}, 69700 * time.Microsecond},
		{"Sendbird's is longer than standard", []string{standard, "2", sendbird, "9"}, 9 * time.Second},
		{"standard is longer than Sendbird's", []string{standard, "2", sendbird, "0.07"}, 2 * time.Second},
		{"Sendbird's after a bad standard one", []string{standard, "soon", sendbird, "9"}, 9 * time.Second},
		{"negative Sendbird's", []string{sendbird, "-1"}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := make(http.Header)
			for i := 0; i < len(c.pairs); i += 2 {
				h.Set(c.pairs[i], c.pairs[i+1])
			}
			got := session.RetryAfter(h, now)
			if diff := got - c.want; diff < -time.Microsecond || diff > time.Microsecond {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"7", "0.0697", "-1", "Inf", "NaN", "1e308", "0x1p62", date(time.Hour), "soon", " 1", "1_0"} {
		f.Add(v, v, v)
	}
	f.Fuzz(func(t *testing.T, ms, std, sb string) {
		h := http.Header{millis: {ms}, standard: {std}, sendbird: {sb}}
		got := session.RetryAfter(h, now)
		if got < 0 {
			t.Errorf("got %d for %q", got, h)
		}
		v := session.Classify(t.Context(), t.Context(), &session.Failure{Status: 429, RetryAfter: got}, nil)
		if v.Cooldown < 0 || v.Cooldown > session.MaxCooldown {
			t.Errorf("cooldown %s for %q", v.Cooldown, h)
		}
	})
}
