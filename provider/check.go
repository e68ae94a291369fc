package provider

import (
	"context"
	"maps"
	"net/http"
	"net/url"
)

// Check asks for a service's health at a URL, with the client's headers, and returns
// nil if the answer is 2xx. Any other status is returned as a [*session.Failure]; a
// redirect is not followed. No more than a little of the body is read.
func (c *Client) Check(ctx context.Context, u *url.URL) error {
	r := &http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Header: make(http.Header, len(c.Header)+1),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	maps.Copy(r.Header, c.Header)
	r.Header.Set("Accept", "*/*")
	r.Header.Del("Content-Type")
	resp, err := c.Transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return redactPeer(err)
	}
	f := c.statusFailure(resp, new(Call))
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	return f
}
