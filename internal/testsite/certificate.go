package testsite

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Certificate returns files with a certificate for 127.0.0.1 and example.com,
// and with its key.
func Certificate(t *testing.T) (cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, "CERTIFICATE", pair.Certificate[0]), pemFile(t, "PRIVATE KEY", der)
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// SecureCaddyfile is Caddyfile on HTTPS, with a certificate of its own. The URL
// of the site changes with it.
func (s *Site) SecureCaddyfile(block string) string {
	s.T.Helper()
	cert, key := Certificate(s.T)
	s.URL = strings.Replace(s.URL, "http:", "https:", 1)
	return strings.Replace(s.Caddyfile(block), s.URL+" {", s.URL+" {\n tls "+cert+" "+key, 1)
}
