package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// versions of HTTP, in the order of the output.
var versions = []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}

// newClient returns a client for one version of HTTP. It does not decompress gzip
// automatically, because net/http's decompression reads ahead.
func newClient(version string) *http.Client {
	trusting := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // our own proxy on this machine
	switch version {
	case "HTTP/3.0":
		return &http.Client{Transport: &http3.Transport{TLSClientConfig: trusting, DisableCompression: true}}
	case "HTTP/2.0":
		return &http.Client{Transport: &http.Transport{TLSClientConfig: trusting, ForceAttemptHTTP2: true, DisableCompression: true}}
	}
	return &http.Client{Transport: &http.Transport{DisableCompression: true}}
}

// read reads a stream and returns the lag of each event.
func read(ctx context.Context, client *http.Client, address string, events int, every time.Duration) ([]time.Duration, error) {
	query := url.Values{"events": {strconv.Itoa(events)}, "every": {every.String()}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"?"+query.Encode(), strings.NewReader(`{"message":"hello"}`))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", address, resp.Status)
	}
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(resp.Body); err != nil {
			return nil, err
		}
	}
	return lags(body, events)
}

// lags reads the events and returns how long each was in transit.
func lags(body io.Reader, events int) ([]time.Duration, error) {
	var all []time.Duration
	lines := bufio.NewReaderSize(body, 512)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && len(all) == events {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("event %d of %d: %w", len(all)+1, events, err)
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		at, _, _ := strings.Cut(data, " ")
		sent, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return all, fmt.Errorf("event %d: %w", len(all)+1, err)
		}
		all = append(all, time.Since(epoch)-time.Duration(sent))
	}
}
