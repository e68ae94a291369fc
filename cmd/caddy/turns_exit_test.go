package main_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func overHTTP1() *http.Client {
	var only http.Protocols
	only.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trustAll(), Protocols: &only}}
}

func overHTTP2() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trustAll(), ForceAttemptHTTP2: true}}
}

func overHTTP3(t *testing.T) *http.Client {
	t.Helper()
	transport := &http3.Transport{TLSClientConfig: trustAll()}
	transport.TLSClientConfig.ServerName = "example.com" // the site's is an address, which is not sent
	t.Cleanup(func() { _ = transport.Close() })
	return &http.Client{Transport: transport}
}

// trustAll trusts the certificate of a test.
func trustAll() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// A process that stops waits for its turns, and shortly before the end of the grace
// period it ends them in order.
func TestTurnsWhenTheProcessStops(t *testing.T) {
	const (
		frame = `data: {"type":"thread.created","thread":{"id":"thr_1"}}` + "\n\n"
		last  = `data: {"type":"error","code":"stream.error","allow_retry":true}` + "\n\n"
	)
	for _, tt := range []struct {
		version string
		client  *http.Client
		ends    bool
		want    string
	}{
		{"HTTP/1.1", overHTTP1(), true, frame + frame},
		{"HTTP/1.1", overHTTP1(), false, frame + last},
		{"HTTP/2.0", overHTTP2(), true, frame + frame},
		{"HTTP/2.0", overHTTP2(), false, frame + last},
		{"HTTP/3.0", overHTTP3(t), true, frame + frame},
		{"HTTP/3.0", overHTTP3(t), false, frame + last},
	} {
		t.Run(fmt.Sprint(tt.version, " ", tt.ends), func(t *testing.T) {
			stopping, left := make(chan struct{}), make(chan error, 1)
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, frame)
				_ = http.NewResponseController(w).Flush()
				<-stopping
				if tt.ends {
					time.Sleep(200 * time.Millisecond)
					_, _ = io.WriteString(w, frame)
				} else {
					<-r.Context().Done()
				}
				left <- r.Context().Err()
			}))
			t.Cleanup(backend.Close)
			file, url := filepath.Join(t.TempDir(), "Caddyfile"), strings.Replace(testsite.Nobody(t), "http:", "https:", 1)
			cert, key := testsite.Certificate(t)
			text := fmt.Sprintf("{\n admin off\n persist_config off\n auto_https off\n grace_period 2s\n}\n%s {\n tls %s %s\n chatkit {\n chatkit /chatkit\n provider backend %s\n }\n}\n", url, cert, key, backend.URL)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := testsite.Start(t, "run", "--adapter", "caddyfile", "--config", file)
			p.Await(t, "serving initial configuration")
			resp, err := tt.client.Post(url+"/chatkit", "application/json", strings.NewReader(`{"type":"threads.create","params":{}}`))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.Proto != tt.version {
				t.Errorf("it came over %s", resp.Proto)
			}
			r := bufio.NewReader(resp.Body)
			if _, err := r.Peek(len(frame)); err != nil {
				t.Fatal(err)
			}
			got := make(chan string, 1)
			go func() {
				b, err := io.ReadAll(r)
				got <- fmt.Sprint(string(b), err)
			}()
			close(stopping)
			p.Interrupt(t)
			if text := testsite.Receive(t, got); text != tt.want+"<nil>" {
				t.Errorf("got %q, want %q", text, tt.want)
			}
			if err := testsite.Receive(t, left); (err == nil) != tt.ends {
				t.Errorf("the backend's request ended with %v", err)
			}
		})
	}
}
