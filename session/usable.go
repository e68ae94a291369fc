package session

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxSecret is the longest secret taken from a provider, in bytes.
const MaxSecret = 8 << 10

// Check returns a [Failure] where s cannot serve a front end: no secret, a
// secret that is too long or holds control characters, or a session that is
// already over at now.
func (s *Session) Check(now time.Time) error {
	secret := s.Secret.Reveal()
	switch {
	case secret == "":
		return Invalid("session has no secret")
	case len(secret) > MaxSecret:
		return Invalid("session secret has %d bytes, more than %d", len(secret), MaxSecret)
	case strings.ContainsFunc(secret, isControl):
		return Invalid("session secret holds control characters")
	case !s.ExpiresAt.IsZero() && !s.ExpiresAt.After(now):
		return Invalid("session expired at %s", s.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || (r >= 0x7f && r < 0xa0) }

// expiryLayouts are the ways custom backends write a time. The ones without a
// zone are what Python's datetime.isoformat gives; they are read as UTC. The
// ones without a colon in the zone are what PHP and strftime give.
var expiryLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999",
}

// ParseExpiry reads the expires_at of a provider's answer: an ISO 8601 string,
// or a number (also in a string) of seconds or milliseconds since 1970. What
// cannot be read gives the zero time: the answer then goes without the field.
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

// Bounds of what is taken for a time: up to the year 9999 in seconds, from
// 1973 on in milliseconds. The two do not meet in any year that matters.
const (
	maxUnixSeconds = 253402300799
	minUnixMillis  = 1e11
)

func unixTime(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return time.Time{}
	}
	if f >= minUnixMillis {
		f /= 1000
	}
	if f > maxUnixSeconds {
		return time.Time{}
	}
	whole, frac := math.Modf(f)
	return time.Unix(int64(whole), int64(frac*1e9)).UTC()
}
