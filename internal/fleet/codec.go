package fleet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// MinKey is the least number of characters of a key.
const MinKey = 32

// idSize is the size of a hash in a name, in bytes. Nobody can choose both of two
// things that should have one hash.
const idSize = 16

// Codec makes the names and contents that leave the process: keyed hashes, and text
// that only who has the key can read. It is safe for concurrent use.
type Codec struct{ names, contents []byte }

// NewCodec returns the codec of a key.
func NewCodec(key string) (*Codec, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("key has %d characters (want at least %d)", len(key), MinKey)
	}
	names, err := hkdf.Key(sha256.New, []byte(key), nil, "chatkit names", sha256.Size)
	if err != nil {
		return nil, err
	}
	contents, err := hkdf.Key(sha256.New, []byte(key), nil, "chatkit contents", sha256.Size)
	if err != nil {
		return nil, err
	}
	return &Codec{names, contents}, nil
}

// Hash returns the keyed hash of a list of texts. purpose keeps those of different
// things apart.
func (c *Codec) Hash(purpose string, parts ...string) (sum [idSize]byte) {
	h := hmac.New(sha256.New, c.names)
	for _, p := range append([]string{purpose}, parts...) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	copy(sum[:], h.Sum(nil))
	return sum
}

// Name returns a hash as text for a key.
func (c *Codec) Name(purpose string, parts ...string) string {
	sum := c.Hash(purpose, parts...)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// errForeign is the error of text that another key, or another place, belongs to.
var errForeign = errors.New("it was written with another key")

// Seal encrypts a text for a place, such as the name of a key. Each place has a
// cipher of its own: a text is worth nothing in another place, and random nonces do
// not run out.
func (c *Codec) Seal(place string, plain []byte) []byte {
	return c.cipher(place).Seal(nil, nil, plain, nil) //nolint:gosec // the cipher makes the nonces itself, at random
}

// Open decrypts what Seal has encrypted for the place.
func (c *Codec) Open(place string, sealed []byte) ([]byte, error) {
	plain, err := c.cipher(place).Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errForeign
	}
	return plain, nil
}

func (c *Codec) cipher(place string) cipher.AEAD {
	h := hmac.New(sha256.New, c.contents)
	h.Write([]byte(place))
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block is AES
	}
	return aead
}
