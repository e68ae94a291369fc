package problem

import (
	"errors"
	"net/http"

	"github.com/dustin/go-humanize"

	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// Body is the problem of a body that could not be read to its end.
func Body(err error) *Problem {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return BodyTooLong(large.Limit)
	}
	if errors.Is(err, relay.ErrStalled) {
		return BodyTooSlow()
	}
	return BadRequest("Body could not be read")
}

// BodyTooSlow is the problem of a body that did not come in time.
func BodyTooSlow() *Problem {
	return &Problem{Status: http.StatusRequestTimeout, Code: CodeBodyTimeout, Title: "Body took too long",
		Details: "The rest of the body did not come in time"}
}

// BodyTooLong is the problem of a body that is longer than a limit of the site's, in
// bytes.
func BodyTooLong(limit int64) *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: CodeBodyTooLarge, Title: "Body too large",
		Details: "This site takes at most " + humanize.IBytes(uint64(max(limit, 0)))}
}
