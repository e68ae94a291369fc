package sandbox_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// certificate borrows the test certificate of net/http/httptest, which is valid
// for 127.0.0.1.
func certificate(t *testing.T) (server *tls.Config, roots *x509.CertPool) {
	t.Helper()
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	roots = x509.NewCertPool()
	roots.AddCert(lender.Certificate())
	return &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}, roots
}

// The faults look the same through TLS.
func TestFaultsThroughTLS(t *testing.T) {
	cfg, roots := certificate(t)
	for _, k := range kinds {
		s, c := k.run(t, sandbox.Options{TLS: cfg}), newClient(t)
		tr, _ := c.Transport.(*http.Transport)
		tr.TLSClientConfig, tr.ForceAttemptHTTP2 = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, true
		if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
			t.Fatalf("url %q", s.URL())
		}
		for f, check := range looks {
			if f == sandbox.Huge {
				continue // megabytes of TLS under the race detector take too long
			}
			t.Run(k.name+"/"+string(f), func(t *testing.T) {
				set(t, s, f)
				check(t, k, k.ask(t, c, s))
			})
		}
	}
}
