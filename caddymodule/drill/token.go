package drill

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Header is the header that shows the token, in the canonical form of net/http.
const Header = "X-Chatkit-Drill"

// minToken is the shortest token, in characters: nobody can guess one of these.
const minToken = 16

// Token is what a request has to show. Nil is none, and nothing is a drill.
type Token struct{ sum [sha256.Size]byte }

// NewToken returns the token that value, with its placeholders replaced, stands for;
// nil for "".
func NewToken(value string) (*Token, error) {
	secret, err := resolve(value)
	if err != nil || secret == "" {
		return nil, err
	}
	return &Token{sum: sha256.Sum256([]byte(secret.Reveal()))}, nil
}

// Check returns an error for a token that is not valid, as far as that is known
// before placeholders are replaced.
func Check(value string) error {
	return block.Literally(value, func(block.Resolver) (session.Secret, error) { return resolve(value) })
}

func resolve(value string) (session.Secret, error) {
	if value == "" {
		return "", nil
	}
	secret, err := block.NewResolver().Secret("drill", value)
	if err != nil {
		return "", err
	}
	if n := len(secret.Reveal()); n < minToken {
		return "", fmt.Errorf("drill: the token has %d characters (want at least %d)", n, minToken)
	}
	return secret, nil
}

// Take reports whether the headers of a request show the token, and removes it from
// them. Whoever shows another one cannot tell it from a header that nobody knows.
func (t *Token) Take(h http.Header) bool {
	shown, ok := h[Header]
	if t == nil || !ok {
		return false
	}
	delete(h, Header)
	if len(shown) != 1 {
		return false
	}
	sum := sha256.Sum256([]byte(shown[0]))
	return subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1
}
