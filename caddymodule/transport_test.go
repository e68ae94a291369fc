package caddymodule_test

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// plainSession is what a backend answers at the least.
const plainSession = `{"session_id":"session-of-own-backend"}`

func giveSession(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, plainSession) }

// A backend on TLS is reached through Caddy's own transport block.
func TestTransportTLS(t *testing.T) {
	tests := []struct {
		name, transport string // %CA is the file of the certificate
		http2           bool
		proto           int // 0 where it is not reached
		reason          string
	}{
		{"unknown CA", "", true, 0, "tls"},
		{"insecure, HTTP/2", "transport http {\n tls_insecure_skip_verify\n }", true, 2, ""},
		{"insecure, HTTP/1.1", "transport http {\n tls_insecure_skip_verify\n }", false, 1, ""},
		{"insecure, HTTP/1.1 wanted", "transport http {\n tls_insecure_skip_verify\n versions 1.1\n }", true, 1, ""},
		{"trusted CA", "transport http {\n tls_trust_pool file %CA\n }", true, 2, ""},
		{"trusted CA, wrong name", "transport http {\n tls_trust_pool file %CA\n tls_server_name other.test\n }", true, 0, "tls"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var proto atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				proto.Store(int64(r.ProtoMajor))
				giveSession(w, r)
			}))
			server.EnableHTTP2 = tt.http2
			server.StartTLS()
			t.Cleanup(server.Close)
			ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
			s := newSite(t, inFront(server.URL, strings.ReplaceAll(tt.transport, "%CA", ca))+openaiOnly)
			a := s.Session()
			if a.Status != http.StatusOK || a.Reason() != tt.reason || int(proto.Load()) != tt.proto {
				t.Errorf("got %d because %q over HTTP/%d, want 200 because %q over HTTP/%d: %s",
					a.Status, a.Reason(), proto.Load(), tt.reason, tt.proto, a.Raw)
			}
		})
	}
}

// Answers are not asked for in gzip, unless by the operator's own transport block,
// and are unpacked in any case.
func TestTransportGzip(t *testing.T) {
	for _, tt := range []struct{ name, transport, asked string }{
		{"misbehaving backend", "", ""},
		{"transport that asks for it", "transport http", "gzip"},
		{"transport that does not", "transport http {\n compression off\n }", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := make(chan string, 1)
			url := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
				asked <- r.Header.Get("Accept-Encoding")
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = io.WriteString(z, plainSession)
				_ = z.Close()
			})
			a := newSite(t, inFront(url, tt.transport)+openaiOnly).Session()
			if got := <-asked; got != tt.asked || a.Provider() != "backend" {
				t.Errorf("asked for %q and got %d from %q because %q, want %q", got, a.Status, a.Provider(), a.Reason(), tt.asked)
			}
		})
	}
}

// A gzip that unpacks to far more than an answer may have is not unpacked.
func TestTransportGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.WriteString(z, `{"session_id":"s","padding":"`+strings.Repeat("0", 4<<20)+`"}`)
	_ = z.Close()
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	a := newSite(t, inFront(url, "transport http")+openaiOnly).Session()
	if a.Provider() != "openai" || a.Reason() != "invalid_response" {
		t.Errorf("got %d from %q because %q", a.Status, a.Provider(), a.Reason())
	}
}

// Sessions one behind the other share a connection, in good times and in bad.
func TestTransportKeepsConnections(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"sessions": giveSession,
		"errors":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"refusals": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"no JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"in pieces": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_ = http.NewResponseController(w).Flush()
			giveSession(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int64
			server := httptest.NewUnstartedServer(answer)
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			server.Start()
			t.Cleanup(server.Close)
			s := newSite(t, inFront(server.URL, "breaker {\n consecutive off\n ratio off\n }"))
			for range 20 {
				s.Session()
			}
			if got := connections.Load(); got != 1 {
				t.Errorf("20 requests took %d connections, want 1", got)
			}
		})
	}
}
