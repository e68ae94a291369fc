package provider

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// read reads the body of an answer, which is JSON whatever its headers say: gzip
// that nobody asked for is unpacked, and a byte order mark dropped. tooLarge
// reports whether it is longer than [MaxAnswer].
func read(resp *http.Response) (body []byte, tooLarge bool, err error) {
	body, tooLarge, err = readPlain(resp)
	if err == nil && bytes.HasPrefix(body, gzipMagic) {
		body, tooLarge, err = gunzip(body)
	}
	return bytes.TrimPrefix(body, byteOrderMark), tooLarge, err
}

// What can stand before JSON.
var (
	gzipMagic     = []byte{0x1f, 0x8b}
	byteOrderMark = []byte("\ufeff")
)

// readPlain reads a body, into a buffer of its length where that is known.
func readPlain(resp *http.Response) (body []byte, tooLarge bool, err error) {
	switch {
	case resp.ContentLength > MaxAnswer:
		return nil, true, nil
	case resp.ContentLength >= 0:
		body = make([]byte, resp.ContentLength)
		n, err := io.ReadFull(resp.Body, body)
		return body[:n], false, err
	}
	body, err = io.ReadAll(http.MaxBytesReader(nil, resp.Body, MaxAnswer))
	_, tooLarge = errors.AsType[*http.MaxBytesError](err)
	return body, tooLarge, err
}

// gunzip unpacks a body that has arrived as a whole, so an error is the sender's.
func gunzip(packed []byte) (body []byte, tooLarge bool, err error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		body, err = io.ReadAll(http.MaxBytesReader(nil, z, MaxAnswer))
	}
	if _, tooLarge = errors.AsType[*http.MaxBytesError](err); tooLarge || err == nil {
		return body, tooLarge, err
	}
	return nil, false, session.Invalid("answer is not valid gzip")
}
