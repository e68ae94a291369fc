package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// A process that stops waits for its turns, and shortly before the end of the grace
// period it ends them in order.
func TestTurnsWhenTheProcessStops(t *testing.T) {
	const (
		frame = `data: {"type":"thread.created","thread":{"id":"thr_1"}}` + "\n\n"
		last  = `data: {"type":"error","code":"stream.error","allow_retry":true}` + "\n\n"
	)
	for ends, want := range map[bool]string{true: frame + frame, false: frame + last} {
		t.Run(fmt.Sprint(ends), func(t *testing.T) {
			stopping, left := make(chan struct{}), make(chan error, 1)
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, frame)
				_ = http.NewResponseController(w).Flush()
				<-stopping
				if ends {
					time.Sleep(200 * time.Millisecond)
					_, _ = io.WriteString(w, frame)
				} else {
					<-r.Context().Done()
				}
				left <- r.Context().Err()
			}))
			t.Cleanup(backend.Close)
			file, url := filepath.Join(t.TempDir(), "Caddyfile"), testsite.Nobody(t)
			text := fmt.Sprintf("{\n admin off\n persist_config off\n grace_period 2s\n}\n%s {\n chatkit {\n chatkit /chatkit\n provider backend %s\n }\n}\n", url, backend.URL)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := testsite.Start(t, "run", "--adapter", "caddyfile", "--config", file)
			p.Await(t, "serving initial configuration")
			resp, err := http.Post(url+"/chatkit", "application/json", strings.NewReader(`{"type":"threads.create","params":{}}`))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
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
			if text := testsite.Receive(t, got); text != want+"<nil>" {
				t.Errorf("got %q, want %q", text, want)
			}
			if err := testsite.Receive(t, left); (err == nil) != ends {
				t.Errorf("the backend's request ended with %v", err)
			}
		})
	}
}
