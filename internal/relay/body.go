package relay

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// payload is the body of a request: all of it, so that it can be sent again, or
// its beginning and a reader of the rest.
type payload struct {
	head []byte
	rest io.Reader // nil: head is all of it
	body bool      // there is one at all
}

// read reads a body as far as it may be kept.
func read(r *http.Request, limit int64) (payload, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return payload{}, nil
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return payload{}, fmt.Errorf("reading body of the request: %w", err)
	}
	p := payload{head: head, body: true}
	if int64(len(head)) > limit {
		p.rest = r.Body
	}
	return p, nil
}

// again tells whether the body can be sent once more.
func (p *payload) again() bool { return p.rest == nil }

// put gives a request the body.
func (p *payload) put(r *http.Request) {
	switch {
	case !p.body:
		r.Body, r.ContentLength = http.NoBody, 0
	case p.rest != nil:
		// As long as the client said, or unknown: chunked.
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(p.head), p.rest))
	default:
		// Known now even where the client sent it in chunks.
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(p.head)), int64(len(p.head))
		r.TransferEncoding = nil
	}
	r.GetBody = nil // a second attempt is ours to make
}
