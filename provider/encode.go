package provider

import (
	"bytes"
	"encoding/json"
)

// Encode encodes v as JSON. Unlike [json.Marshal] it leaves the characters of HTML
// as they are: what a front end has written goes on as it wrote it, and requests to
// providers never stand in HTML.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
