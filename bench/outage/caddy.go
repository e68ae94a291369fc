package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// caddy is the real binary with one site: two backends, the first with options.
type caddy struct {
	cmd   *exec.Cmd
	dir   string
	admin string
	url   string
	text  string // of its Caddyfile
}

// build builds the binary and returns its path.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "caddy")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/caddy") //nolint:gosec // in a directory of our own
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
}

// caddyfile is the configuration, for [fmt.Sprintf].
const caddyfile = `{
	admin %s
	persist_config off
	log {
		level ERROR
	}
}
http://%s {
	chatkit {
		user {http.request.header.X-User}
		deadline 60s
		provider backend http://%s {
			name first
			retries 0
			%s
		}
		provider backend http://%s {
			name second
			max_in_flight 1000000
			timeout 30s
		}
	}
}
`

// startCaddy runs the binary.
func startCaddy(ctx context.Context, binary, options string, first, second *backend) (c *caddy, err error) {
	c = new(caddy)
	if c.dir, err = os.MkdirTemp("", "outage"); err != nil {
		return nil, err
	}
	if c.admin, err = freeAddr(); err != nil {
		return nil, err
	}
	site, err := freeAddr()
	if err != nil {
		return nil, err
	}
	c.url = "http://" + site + "/api/custom/session"
	c.text = fmt.Sprintf(caddyfile, c.admin, site, first.addr, options, second.addr)
	file := filepath.Join(c.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
		return nil, err
	}
	c.cmd = exec.CommandContext(ctx, binary, "run", "--adapter", "caddyfile", "--config", file) //nolint:gosec // built here
	c.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+c.dir, "XDG_CONFIG_HOME="+c.dir)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := await(ctx, site); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// await waits until an address accepts connections.
func await(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *caddy) stop() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		_ = c.cmd.Process.Kill()
		<-done
	}
	_ = os.RemoveAll(c.dir)
}

// reload loads the configuration again, with a difference that does not touch the
// providers.
func (c *caddy) reload(ctx context.Context) error {
	text := strings.Replace(c.text, "user {", "drain 9s\n\t\tuser {", 1)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.admin+"/load", bytes.NewReader([]byte(text)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "text/caddyfile")
	r.Header.Set("Cache-Control", "must-revalidate") // also one that has not changed
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("reload: %s", resp.Status)
	}
	return nil
}

var (
	goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)
	residentSet    = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
)

// usage returns how many goroutines the process has, and its memory in MiB.
func (c *caddy) usage(ctx context.Context) (goroutines, memory int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.admin+"/debug/pprof/goroutine?debug=1", nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return 0, 0, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	g, m := goroutineTotal.FindSubmatch(page), residentSet.FindSubmatch(status)
	if g == nil || m == nil {
		return 0, 0, errors.New("the process does not say how much it uses")
	}
	goroutines, _ = strconv.Atoi(string(g[1]))
	memory, _ = strconv.Atoi(string(m[1]))
	return goroutines, memory >> 10, nil
}

func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
