package session

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxSecret is the longest secret taken from a provider, in bytes.
const MaxSecret = 8 << 10

// Check returns a [Failure] where s cannot serve a front end: no secret or a blank
// one, a secret that is too long, is not UTF-8 or holds control characters, or a
// session that is already over at now.
func (s *Session) Check(now time.Time) error {
	secret := s.Secret.Reveal()
	switch {
	case strings.TrimSpace(secret) == "":
		return Invalid("session has no secret")
	case len(secret) > MaxSecret:
		return Invalid("session secret has %d bytes, more than %d", len(secret), MaxSecret)
	case !utf8.ValidString(secret), strings.ContainsRune(secret, utf8.RuneError): // which decoders put in place of what is invalid
		return Invalid("session secret is not valid UTF-8")
	case strings.ContainsFunc(secret, isControl):
		return Invalid("session secret holds control characters")
	case !s.ExpiresAt.IsZero() && !s.ExpiresAt.After(now):
		return Invalid("session expired at %s", s.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || (r >= 0x7f && r < 0xa0) }

// expiryLayouts are the ways custom backends write a time. Times without a zone
// are read as UTC. Letters are in capitals, as [ParseExpiry] reads them.
var expiryLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",       // Python's isoformat
	"2006-01-02T15:04:05.999999999Z0700",  // PHP, strftime
	"2006-01-02T15:04:05.999999999Z07",    // PostgreSQL's JSON
	"2006-01-02T15:04Z07:00",              // Java, where the seconds are 0
	"2006-01-02 15:04:05.999999999Z07:00", // Python's str
	"2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07", // PostgreSQL
	"2006-01-02 15:04:05.999999999",    // MySQL
	"2006-01-02 15:04:05.999999999 UTC",
	"2006-01-02 15:04:05.999999999 GMT",
	"2006-01-02 15:04:05.999999999 -0700",     // Ruby
	"2006-01-02 15:04:05.999999999 -0700 UTC", // Go's String
	"Mon, 2 Jan 2006 15:04:05 GMT",            // RFC 1123: headers of HTTP, JavaScript's toUTCString
	"Mon, 2 Jan 2006 15:04:05 UTC",
	"Mon, 2 Jan 2006 15:04:05 -0700",
}

// ParseExpiry reads the expires_at of a provider's answer: a string as ISO 8601,
// PostgreSQL or RFC 1123 have it, or a number (also in a string) of seconds,
// milliseconds, microseconds or nanoseconds since 1970. What cannot be read gives
// the zero time: the answer then goes without the field.
func ParseExpiry(raw json.RawMessage) time.Time {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return time.Time{}
	}
	if raw[0] != '"' {
		return unixTime(string(raw))
	}
	s, ok := unquote(raw)
	if !ok {
		return time.Time{}
	}
	s = strings.ToUpper(strings.TrimSpace(s))
	for _, layout := range expiryLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return rfc3339Time(t.UTC())
		}
	}
	return unixTime(s)
}

// unquote reads a JSON string. Most have no escape in them and are read without
// a decoder.
func unquote(raw json.RawMessage) (s string, ok bool) {
	if inner := raw[1:]; len(inner) > 0 && bytes.IndexByte(inner, '"') == len(inner)-1 && !bytes.ContainsRune(inner, '\\') {
		return string(inner[:len(inner)-1]), true
	}
	return unescape(raw)
}

// unescape is a function of its own because the decoder has its result escape.
func unescape(raw json.RawMessage) (s string, ok bool) {
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// rfc3339Time returns the zero time for a year that RFC 3339 cannot write, which
// a zone can lead to.
func rfc3339Time(t time.Time) time.Time {
	if t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// maxUnix is the end of the year 9999, in seconds.
const maxUnix = 253402300799

// unixUnits are the units of a time since 1970, each with the lowest number that is
// taken for it: a time in 1973.
var unixUnits = []struct{ from, perSecond float64 }{
	{1e17, 1e9}, {1e14, 1e6}, {1e11, 1e3}, {0, 1},
}

func unixTime(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return time.Time{}
	}
	for _, unit := range unixUnits {
		if f >= unit.from {
			f /= unit.perSecond
			break
		}
	}
	if f > maxUnix {
		return time.Time{}
	}
	whole, frac := math.Modf(f)
	return time.Unix(int64(whole), int64(frac*1e9)).UTC()
}
