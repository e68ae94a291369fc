package session

import (
	"fmt"
	"log/slog"
)

// redacted is what a [Secret] shows of itself.
const redacted = "[redacted]"

// Secret is a credential: an API key or a session's client secret. However it
// is printed, logged or marshaled it shows as "[redacted]"; the bytes are to be
// had by [Secret.Reveal] only, so that every use can be found by that name.
//
// Two things are out of a method's reach: an unexported field of a struct that is
// printed whole, and the key of a map that is marshaled to JSON. Keep it in
// exported fields, and out of keys.
//
// Configuration fields are plain strings that hold a placeholder: a type that
// redacts itself would be saved redacted by the Caddyfile adapter.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String implements [fmt.Stringer].
func (Secret) String() string { return redacted }

// Format implements [fmt.Formatter] for every verb, %q, %x and %#v included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler], which JSON uses too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
