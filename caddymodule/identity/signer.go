package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// signer signs the ids of visitors. It keeps hashes that have taken in the key, which
// is most of the work of a signature. It is safe for concurrent use.
type signer struct {
	idle sync.Pool // of *signing
}

// signing is what one signature is made with.
type signing struct {
	mac hash.Hash
	buf []byte
}

func newSigner(key []byte) *signer {
	return &signer{idle: sync.Pool{New: func() any { return &signing{mac: hmac.New(sha256.New, key)} }}}
}

// sign returns the signature of an id. It holds for one host, as a cookie does:
// sites that share a key do not share visitors.
func (s *signer) sign(id, host string) string {
	one := s.idle.Get().(*signing) //nolint:forcetypeassert // nothing else is in there
	defer s.idle.Put(one)
	one.mac.Reset()
	one.buf = append(one.buf[:0], "visitor\x00"...)
	one.buf = append(one.buf, host...)
	one.buf = append(one.buf, 0)
	one.buf = append(one.buf, id...)
	_, _ = one.mac.Write(one.buf) // never fails, by its documentation
	one.buf = one.mac.Sum(one.buf[:0])
	sum := len(one.buf)
	one.buf = base64.RawURLEncoding.AppendEncode(one.buf, one.buf)
	return string(one.buf[sum:])
}
