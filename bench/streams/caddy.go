package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// proxy is the real binary in front of the backend, with one site per way of
// proxying an event stream.
type proxy struct {
	cmd   *exec.Cmd
	dir   string
	Admin string
	Ports map[string]string // by scheme and site name
}

// site is a way of proxying, and its part of the Caddyfile.
type site struct{ name, block string }

// sites are the ways of proxying a stream, in the order of the output.
var sites = []site{
	{"reverse_proxy", "reverse_proxy BACKEND"},
	{"chatkit", chatkitBlock},
	{"reverse_proxy, encode", "encode\nreverse_proxy BACKEND"},
	{"chatkit, encode", "encode\n" + chatkitBlock},
}

const chatkitBlock = `chatkit {
	anonymous
	provider backend http://BACKEND
	stream /api/custom/stream /
}`

// build builds the binary and returns its path.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "caddy")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/caddy") //nolint:gosec // in a directory of our own
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
}

// startProxy runs the binary with every site twice: without TLS for HTTP/1.1, and
// with TLS for HTTP/2 and HTTP/3.
func startProxy(ctx context.Context, binary, backend string, sites []site) (p *proxy, err error) {
	dir, err := os.MkdirTemp("", "streams")
	if err != nil {
		return nil, err
	}
	p = &proxy{dir: dir, Ports: map[string]string{}}
	if p.Admin, err = freePort(); err != nil {
		return nil, err
	}
	text, err := p.caddyfile(backend, sites)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.CommandContext(ctx, binary, "run", "--adapter", "caddyfile", "--config", file) //nolint:gosec // built here
	p.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.await(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *proxy) caddyfile(backend string, sites []site) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "{\nadmin 127.0.0.1:%s\npersist_config off\nauto_https disable_redirects\nskip_install_trust\nlog {\nlevel ERROR\n}\n}\n", p.Admin)
	for _, s := range sites {
		for _, scheme := range []string{"http", "https"} {
			port, err := freePort()
			if err != nil {
				return "", err
			}
			p.Ports[scheme+" "+s.name] = port
			fmt.Fprintf(&b, "%s://localhost:%s {\n", scheme, port)
			if scheme == "https" {
				b.WriteString("tls internal\n")
			}
			b.WriteString(strings.ReplaceAll(s.block, "BACKEND", backend) + "\n}\n")
		}
	}
	return b.String(), nil
}

// await waits until every site answers.
func (p *proxy) await(ctx context.Context) error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := p.answers(ctx)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (p *proxy) answers(ctx context.Context) error {
	for site, port := range p.Ports {
		scheme, _, _ := strings.Cut(site, " ")
		version := map[string]string{"http": "HTTP/1.1", "https": "HTTP/2.0"}[scheme]
		if _, err := read(ctx, newClient(version), p.url(version, port), 1, time.Millisecond); err != nil {
			return fmt.Errorf("%s: %w", site, err)
		}
	}
	return nil
}

// url returns the URL of a site for a version of HTTP.
func (p *proxy) url(version, port string) string {
	if version == "HTTP/1.1" {
		return "http://localhost:" + port + "/api/custom/stream"
	}
	return "https://localhost:" + port + "/api/custom/stream"
}

// port returns the port of a site for a version of HTTP.
func (p *proxy) port(version, site string) string {
	if version == "HTTP/1.1" {
		return p.Ports["http "+site]
	}
	return p.Ports["https "+site]
}

func (p *proxy) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
	http.DefaultClient.CloseIdleConnections()
	_ = os.RemoveAll(p.dir)
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}
