package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// expiredBy is how long ago an Expired session ended.
const expiredBy = time.Hour

// secretHead is how much of a secret comes before what a fault inserts. It
// covers the prefix that identifies the issuer.
const secretHead = 8

// token returns n random bytes in hex.
func token(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// ends returns when a session created at now expires.
func ends(now time.Time, lifetime time.Duration, f Fault) time.Time {
	if f == Expired {
		return now.Add(-expiredBy)
	}
	return now.Add(lifetime)
}

// spoil applies a fault to the secret. It returns the value for the JSON answer,
// and the same value as text.
func spoil(secret string, f Fault) (value any, text string) {
	switch f {
	case EmptySecret:
		secret = ""
	case Numeric:
		n := time.Now().UnixNano()
		return n, strconv.FormatInt(n, 10)
	case ControlChars:
		secret = secret[:secretHead] + "\x00\r\n\x1b[31m" + secret[secretHead:]
	case LongSecret:
		secret = secret[:secretHead] + strings.Repeat("0", longSecret-len(secret)) + secret[secretHead:]
	default: // no other fault changes the secret
	}
	return secret, secret
}
