package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// run measures one configuration.
func run(ctx context.Context, binary, dir, option string, sessions, rate int) (*result, error) {
	first, second := &backend{name: "a", slow: .05, canceled: map[string]bool{}}, &backend{name: "b", canceled: map[string]bool{}}
	a, b := httptest.NewServer(first), httptest.NewServer(second)
	defer a.Close()
	defer b.Close()
	p, err := start(ctx, binary, dir, caddyfile(a.URL, b.URL, option))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	r := &result{}
	served := p.load(ctx, r, sessions, rate)
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		madeA, canceledA := first.books()
		madeB, canceledB := second.books()
		r.made, r.served, r.canceled, r.doubly = madeA+madeB, len(served), len(canceledA)+len(canceledB), 0
		for _, id := range append(canceledA, canceledB...) {
			if served[id] {
				r.doubly++
			}
		}
		if r.made == r.served+r.canceled || time.Now().After(end) {
			break
		}
	}
	r.hedges, err = p.hedges(ctx)
	return r, err
}

func caddyfile(a, b, option string) string {
	return fmt.Sprintf(`{
	admin ADMIN
	persist_config off
	auto_https off
	log {
		level ERROR
	}
}
http://SITE {
	chatkit {
		anonymous
		provider backend %s {
			name a
			cancel on
			%s
		}
		provider backend %s {
			name b
			cancel on
		}
	}
}
`, a, option, b)
}

// process is the binary, running.
type process struct {
	cmd         *exec.Cmd
	admin, site string
	client      *http.Client
}

func start(ctx context.Context, binary, dir, config string) (*process, error) {
	p := &process{client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 500}}}
	for _, addr := range []*string{&p.admin, &p.site} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*addr = ln.Addr().String()
		_ = ln.Close()
	}
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(strings.NewReplacer("ADMIN", p.admin, "SITE", p.site).Replace(config)), 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.CommandContext(ctx, binary, "run", "--adapter", "caddyfile", "--config", file) //nolint:gosec // built here
	p.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		if _, err := p.get(ctx, "/chatkit/live"); err == nil {
			return p, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	return nil, errors.New("the binary does not answer")
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// load asks for sessions at a rate, and returns those that were served.
func (p *process) load(ctx context.Context, r *result, sessions, rate int) map[string]bool {
	var mu sync.Mutex
	var wg sync.WaitGroup
	served := make(map[string]bool)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for range sessions {
		<-tick.C
		wg.Go(func() {
			start := time.Now()
			secret, err := p.session(ctx)
			took := time.Since(start)
			mu.Lock()
			defer mu.Unlock()
			r.took = append(r.took, took)
			if err != nil {
				r.failed++
				r.err = err
				return
			}
			served[secret] = true
		})
	}
	wg.Wait()
	return served
}

// session asks for a session.
func (p *process) session(ctx context.Context) (secret string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.site+"/api/custom/session", nil)
	if err != nil {
		return "", err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Secret string `json:"client_secret"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK || answer.Secret == "" {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	return answer.Secret, nil
}

// hedges returns how many requests were hedged.
func (p *process) hedges(ctx context.Context) (n int, err error) {
	text, err := p.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		var v int
		rest, ok := strings.CutPrefix(line, `caddy_chatkit_hedges_total{provider="a",result="`)
		if result, value, found := strings.Cut(rest, `"} `); ok && found && result != "capped" && result != "refused" {
			if _, err := fmt.Sscan(value, &v); err != nil {
				return 0, err
			}
			n += v
		}
	}
	return n, nil
}

// get reads a page of the admin API.
func (p *process) get(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
