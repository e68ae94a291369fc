package turn

import (
	"crypto/sha256"
	"encoding/binary"
)

// Key says which requests ask for the same turn. Nothing attaches to a turn with
// the zero key.
type Key [sha256.Size]byte

// Asker is who sends a request, and from where.
type Asker struct {
	// Scope is the handler and path that the request came to.
	Scope string

	// Caller is who asks. Limits go by it.
	Caller string

	// Credential is what the request shows, "" for nothing. It may be a secret:
	// only a hash is kept.
	Credential string

	// Frame is the id of the front end's frame, one for each page that is open, ""
	// where it is not known.
	Frame string
}

// KeyOf returns the key of a request with this body, all of it. It is zero without a
// frame and a credential: nothing would tell two people from each other. Who shows a
// credential is the same as before, also from another address.
func (a Asker) KeyOf(body []byte) (k Key) {
	if a.Frame == "" && a.Credential == "" {
		return k
	}
	who := "caller " + a.Caller
	if a.Credential != "" {
		who = "credential " + a.Credential
	}
	h := sha256.New()
	for _, s := range []string{a.Scope, who, a.Frame, string(body)} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(s)))
		h.Write([]byte(s))
	}
	return Key(h.Sum(nil))
}
