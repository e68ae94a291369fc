package registry

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestIdentity(t *testing.T) {
	for _, tt := range []struct{ name, agent, remote, certificate, want string }{
		{"the command", "chatkit-breaker", "127.0.0.1:4711", "", " by chatkit-breaker from 127.0.0.1"},
		{"a browser", "Mozilla/5.0 (X11)", "[::1]:4711", "", " by a browser from ::1"},
		{"curl", "curl/8", "10.0.0.1:4711", "", " by the admin API from 10.0.0.1"},
		{"a socket", "", "@", "", " by the admin API from this machine"},
		{"a certificate", "curl/8", "10.0.0.1:4711", "alice\n", " (certificate of alice) by the admin API from 10.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
			r.RemoteAddr = tt.remote
			r.Header.Set("User-Agent", tt.agent)
			if tt.certificate != "" {
				r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: tt.certificate}}}}
			}
			if got := identity(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWho(t *testing.T) {
	for said, want := range map[string]string{
		"alice@bastion":         "alice@bastion",
		" a\r\nb\x1b[31m\u202e": "a b [31m",
		strings.Repeat("x", 99): strings.Repeat("x", 64),
		"":                      "",
	} {
		if got := who(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}
