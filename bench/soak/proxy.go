package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// proxy is the real binary.
type proxy struct {
	cmd      *exec.Cmd
	admin    string
	site     string
	b        *backends
	dir      string
	reloaded atomic.Int64 // when, in Unix nanoseconds
}

// caddyfile is the configuration. Every other reload changes a provider: it gets a
// breaker of its own then.
const caddyfile = `{
	admin %s
	persist_config off
	auto_https off
	log {
		output file %s {
			roll_size 10MiB
			roll_keep 1
		}
		level WARN
	}
}
http://%s {
	chatkit {
		user {http.request.header.X-User}
		failover any
		first_byte 2s
		stream_idle 5s
		drain 2s
		deadline 5s
		rate_limit ip 100000 1m
		chatkit /chatkit {
			first_token 2s
			on_disconnect finish 5s
		}
		provider backend http://%s {
			name a
			timeout 1s
			breaker {
				open 1s 2s
			}
		}
		provider backend http://%s {
			name b
			timeout %s
			breaker {
				open 1s 2s
			}
		}
		provider openai {
			base_url http://%s/v1
			key not-a-key
			workflow wf_soak
		}
	}
	respond "the app" 418
}
`

func (p *proxy) config(n int) string {
	timeout := []string{"1s", "900ms"}[n%2]
	return fmt.Sprintf(caddyfile, p.admin, filepath.Join(p.dir, "caddy.log"), p.site, p.b.a.addr, p.b.b.addr, timeout, p.b.openai.addr)
}

func startProxy(ctx context.Context, binary, dir string, b *backends) (*proxy, error) {
	p := &proxy{b: b, dir: dir}
	for _, addr := range []*string{&p.admin, &p.site} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*addr = ln.Addr().String()
		_ = ln.Close()
	}
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(p.config(0)), 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.CommandContext(ctx, binary, "run", "--adapter", "caddyfile", "--config", file) //nolint:gosec // built here, or named by whoever runs it
	p.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(30 * time.Second); ; {
		status, _, err := p.api(ctx, http.MethodGet, "/chatkit/live", "", "")
		if err == nil && status == http.StatusOK {
			return p, nil
		}
		if time.Now().After(end) || !pause(ctx, 100*time.Millisecond) {
			p.stop()
			return nil, fmt.Errorf("the binary does not answer: %d %w", status, err)
		}
	}
}

// api sends a request to the admin API.
func (p *proxy) api(ctx context.Context, method, path, contentType, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.admin+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Close = true // the admin server is replaced by every reload
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(bytes.TrimSpace(text)), err
}

// justReloaded reports whether a connection may have been lost to a reload: the
// server that goes closes those that wait for a request.
func (p *proxy) justReloaded() bool {
	return time.Since(time.Unix(0, p.reloaded.Load())) < 5*time.Second
}

func (p *proxy) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}
