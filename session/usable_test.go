package session_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestSessionCheck(t *testing.T) {
	secret := func(s string) session.Session { return session.Session{Secret: session.Secret(s)} }
	until := func(at time.Time) session.Session { return session.Session{Secret: "s", ExpiresAt: at} }
	cases := []struct {
		name string
		s    session.Session
		ok   bool
	}{
		{"plain", secret("ek_123"), true},
		{"empty", secret(""), false},
		{"one byte", secret("x"), true},
		{"blank", secret(" "), false},
		{"blanks of Unicode", secret("\u00a0\u2003"), false},
		{"blank inside", secret("a b"), true},
		{"invalid UTF-8", secret("a\xffb"), false},
		{"invalid UTF-8 as decoders leave it", secret("a\ufffdb"), false},
		{"longest", secret(strings.Repeat("x", session.MaxSecret)), true},
		{"one byte too long", secret(strings.Repeat("x", session.MaxSecret+1)), false},
		{"counted in bytes", secret(strings.Repeat("ü", session.MaxSecret/2+1)), false},
		{"umlauts", secret("schlüssel"), true},
		{"line break", secret("a\nb"), false},
		{"carriage return", secret("a\r"), false},
		{"nul", secret("\x00"), false},
		{"tab", secret("a\tb"), false},
		{"delete", secret("a\x7f"), false},
		{"C1 control", secret("a\u0085"), false},
		{"first after C1", secret("a\u00a0b"), true},
		{"never said when", until(time.Time{}), true},
		{"still alive", until(now.Add(time.Nanosecond)), true},
		{"over at this moment", until(now), false},
		{"over", until(now.Add(-time.Hour)), false},
		{"over in another zone", until(now.Add(-time.Hour).In(time.FixedZone("", 7200))), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.s.Check(now)
			if (err == nil) != c.ok {
				t.Fatalf("got error %v", err)
			}
			f, ok := errors.AsType[*session.Failure](err)
			if err != nil && (!ok || f.Reason != session.InvalidResponse) {
				t.Errorf("got %#v, want an invalid response", err)
			}
		})
	}
}

func TestParseExpiry(t *testing.T) {
	at := now
	cases := []struct {
		name, raw string
		want      time.Time
	}{
		{"Z", `"2026-11-20T20:00:00Z"`, at},
		{"offset", `"2026-11-20T21:00:00+01:00"`, at},
		{"offset without a colon", `"2026-11-20T21:00:00+0100"`, at},
		{"offset without a colon, space", `"2026-11-20 21:00:00.0+0100"`, at},
		{"no zone is UTC", `"2026-11-20T20:00:00"`, at},
		{"Python's isoformat", `"2026-11-20T20:00:00.250000"`, at.Add(250 * time.Millisecond)},
		{"Python's isoformat with zone", `"2026-11-20T20:00:00.250000+00:00"`, at.Add(250 * time.Millisecond)},
		{"JavaScript's toISOString", `"2026-11-20T20:00:00.000Z"`, at},
		{"space", `"2026-11-20 20:00:00"`, at},
		{"space and zone", `"2026-11-20 20:00:00+00:00"`, at},
		{"nanoseconds", `"2026-11-20T20:00:00.000000001Z"`, at.Add(1)},
		{"PostgreSQL", `"2026-11-20 20:00:00+00"`, at},
		{"PostgreSQL elsewhere", `"2026-11-20 21:00:00.000000+01"`, at},
		{"PostgreSQL's JSON", `"2026-11-20T21:00:00.25+01"`, at.Add(250 * time.Millisecond)},
		{"PostgreSQL, half an hour", `"2026-11-20 14:30:00-05:30"`, at},
		{"RFC 1123", `"Fri, 20 Nov 2026 20:00:00 GMT"`, at},
		{"RFC 1123 with an offset", `"Fri, 20 Nov 2026 21:00:00 +0100"`, at},
		{"RFC 1123, one digit", `"Tue, 1 Dec 2026 20:00:00 GMT"`, at.AddDate(0, 0, 11)},
		{"UTC", `"2026-11-20 20:00:00 UTC"`, at},
		{"UTC with a fraction", `"2026-11-20 20:00:00.25 UTC"`, at.Add(250 * time.Millisecond)},
		{"Ruby", `"2026-11-20 21:00:00 +0100"`, at},
		{"Go", `"2026-11-20 20:00:00.000000001 +0000 UTC"`, at.Add(1)},
		{"Java without seconds", `"2026-11-20T20:00Z"`, at},
		{"lower-case t and z", `"2026-11-20t20:00:00z"`, at},
		{"white space inside", `" 2026-11-20T20:00:00Z\n"`, at},
		{"escaped", `"2026-11-20T20:00:00\u005a"`, at},
		{"unix seconds", `1795204800`, at},
		{"unix seconds as a string", `"1795204800"`, at},
		{"unix seconds with a fraction", `1795204800.5`, at.Add(500 * time.Millisecond)},
		{"exponent", `1.7952048e9`, at},
		{"unix milliseconds", `1795204800000`, at},
		{"unix milliseconds as a string", `"1795204800000"`, at},
		{"unix microseconds", `1795204800000000`, at},
		{"unix microseconds with a fraction", `1795204800250000`, at.Add(250 * time.Millisecond)},
		{"unix microseconds as a string", `"1795204800000000"`, at},
		{"unix nanoseconds", `1795204800000000000`, at},
		{"around it white space", " \t1795204800\n", at},
		{"last second of a year of four digits", `"9999-12-31T23:59:59Z"`, time.Unix(253402300799, 0).UTC()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := session.ParseExpiry(json.RawMessage(c.raw))
			if !got.Equal(c.want) || got.Location() != time.UTC {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseExpiryUnreadable(t *testing.T) {
	cases := map[string]string{
		"absent": ``, "null": `null`, "true": `true`, "object": `{"at":1}`, "list": `[1795204800]`,
		"empty string": `""`, "word": `"soon"`, "date only": `"2026-11-20"`, "time only": `"20:00:00"`,
		"no such month": `"2026-13-01T00:00:00Z"`, "zero": `0`, "negative": `-1795204800`,
		"infinity": `"Inf"`, "not a number": `"NaN"`,
		"cut string": `"2026-11-20T20:00:00Z`, "bad escape": `"\x"`, "duration": `"600s"`,
		"another zone by its name": `"2026-11-20 20:00:00 EST"`, "month that is none": `"Fri, 20 Foo 2026 20:00:00 GMT"`,
		"year 0": `"0001-01-01T00:00:00Z"`, "beyond all": `1e300`,
	}
	for name, raw := range cases {
		t.Run(name, func(t *testing.T) {
			if got := session.ParseExpiry(json.RawMessage(raw)); !got.IsZero() {
				t.Errorf("got %s, want none", got)
			}
		})
	}
}

// A time without a colon in its zone was once unreadable, and a session that
// was long over therefore passed for one without an end.
func TestParseExpiryOfPHPSeesExpiredSession(t *testing.T) {
	s := session.Session{Secret: "s", ExpiresAt: session.ParseExpiry(json.RawMessage(`"2026-11-20T19:59:59+0000"`))}
	if s.Check(now) == nil {
		t.Error("an expired session is usable")
	}
}

// A zone can carry the last day of 9999 into a year no RFC 3339 time can hold.
func TestParseExpiryStaysWithinFourDigits(t *testing.T) {
	if got := session.ParseExpiry(json.RawMessage(`"9999-12-31T23:59:59-01:00"`)); !got.IsZero() {
		t.Errorf("got %s, want none", got)
	}
}

func FuzzParseExpiry(f *testing.F) {
	for _, seed := range []string{
		`"2026-11-20T20:00:00Z"`, `"2026-11-20 20:00:00.5+0100"`, `1795204800`, `"1795204800000"`, `-1`, `0`, `1e309`,
		`"2026-11-20 20:00:00+00"`, `"Fri, 20 Nov 2026 20:00:00 GMT"`, `"2026-11-20t20:00z"`, `1795204800000000`, `1e17`, `1e20`,
		`"Inf"`, `"0x1p40"`, `null`, ``, `"9999-12-31T23:59:59-23:59"`, `"0000-01-01T00:00:00+23:59"`, `99999999999.9`, `{`, `"\ud800"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		at := session.ParseExpiry(raw)
		if at.IsZero() {
			return
		}
		if at.Location() != time.UTC || at.Year() > 9999 {
			t.Fatalf("%q gives %s", raw, at)
		}
		if at.Year() < 0 { // over anyway, and so never written
			return
		}
		if _, err := time.Parse(time.RFC3339, at.Format(time.RFC3339)); err != nil {
			t.Errorf("%q gives a time that cannot be read back: %v", raw, err)
		}
	})
}
