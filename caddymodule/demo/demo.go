package demo

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

//go:embed demo.Caddyfile
var caddyfileText string

var caddyfileTemplate = template.Must(template.New("Caddyfile").Parse(caddyfileText))

// The keys of the simulated providers. They are not secret.
const (
	backendKey = "demo-backend-key"
	openaiKey  = "demo-openai-key"
)

// demo is everything that the command starts.
type demo struct {
	port      int
	admin     string // address of the admin API
	out       io.Writer
	backend   *sandbox.Server
	openai    *sandbox.Server
	control   *http.Server
	log       *sessionLog
	caddyfile string         // in use
	closers   []func() error // in start order
}

// start starts the simulated providers and Caddy in front of them. On an error it
// stops everything again. An adminPort of 0 is Caddy's usual one, or any other if
// that is in use.
func start(port, adminPort int, out io.Writer) (d *demo, err error) {
	d = &demo{port: port, out: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	if err = checkFree(port); err != nil {
		return d, fmt.Errorf("port %d: %w; choose another with --port", port, err)
	}
	if d.admin, err = chooseAdmin(adminPort); err != nil {
		return d, err
	}
	if d.backend, err = sandbox.NewBackend(sandbox.Options{Key: backendKey}); err != nil {
		return d, fmt.Errorf("starting simulated backend: %w", err)
	}
	d.closers = append(d.closers, d.backend.Close)
	if d.openai, err = sandbox.NewOpenAI(sandbox.Options{Key: openaiKey}); err != nil {
		return d, fmt.Errorf("starting simulated OpenAI: %w", err)
	}
	d.closers = append(d.closers, d.openai.Close)
	if d.log, err = newSessionLog(out); err != nil {
		return d, fmt.Errorf("starting session log: %w", err)
	}
	d.closers = append(d.closers, d.log.Close)
	controlAddr, err := d.startControl()
	if err != nil {
		return d, fmt.Errorf("starting page: %w", err)
	}
	return d, d.startCaddy(controlAddr)
}

// checkFree returns an error if the port is in use. Caddy's listeners can share a
// port with another Caddy, which would then get some of the demo's requests.
func checkFree(port int) error {
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return ln.Close()
}

// usualAdminPort is where commands look for the admin API by themselves.
const usualAdminPort = 2019

// chooseAdmin returns the address of the admin API.
func chooseAdmin(port int) (string, error) {
	at := func(port int) string { return net.JoinHostPort("localhost", strconv.Itoa(port)) }
	if port != 0 {
		if err := checkFree(port); err != nil {
			return "", fmt.Errorf("port %d of the admin API: %w; choose another with --admin-port", port, err)
		}
		return at(port), nil
	}
	if checkFree(usualAdminPort) == nil {
		return at(usualAdminPort), nil
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, free, err := net.SplitHostPort(ln.Addr().String())
	return net.JoinHostPort("localhost", free), err
}

// startControl serves the page, its status and the fault switches.
func (d *demo) startControl() (addr string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	d.control = &http.Server{
		Handler:           d.handler(),
		ReadHeaderTimeout: time.Second,
	}
	go func() { _ = d.control.Serve(ln) }()
	d.closers = append(d.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		return d.control.Shutdown(ctx)
	})
	return ln.Addr().String(), nil
}

// startCaddy loads the demo's configuration.
func (d *demo) startCaddy(controlAddr string) error {
	var text bytes.Buffer
	err := caddyfileTemplate.Execute(&text, map[string]any{
		"Port": d.port, "Hosts": loopbacks(), "Admin": d.admin,
		"LogAddr": d.log.Addr(), "ControlAddr": controlAddr,
		"BackendURL": d.backend.URL(), "BackendKey": backendKey,
		"OpenAIURL": d.openai.URL(), "OpenAIKey": openaiKey,
	})
	if err != nil {
		return err
	}
	d.caddyfile = text.String()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(text.Bytes(), map[string]any{"filename": "demo.Caddyfile"})
	if err != nil {
		return err
	}
	if err := caddy.Load(config, true); err != nil {
		return fmt.Errorf("starting on port %d: %w", d.port, err)
	}
	d.closers = append(d.closers, caddy.Stop)
	return nil
}

// loopbacks returns this machine's loopback addresses: "localhost" can be either
// or both.
func loopbacks() []string {
	hosts := []string{"127.0.0.1"}
	if ln, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = ln.Close()
		hosts = append(hosts, "[::1]")
	}
	return hosts
}

// stop stops what start has started, in reverse order.
func (d *demo) stop() error {
	var errs []error
	for _, end := range slices.Backward(d.closers) {
		errs = append(errs, end())
	}
	d.closers = nil
	return errors.Join(errs...)
}

func (d *demo) url() string { return "http://localhost:" + strconv.Itoa(d.port) }

// loopbackURL is url without a host name, for programs.
func (d *demo) loopbackURL() string { return "http://127.0.0.1:" + strconv.Itoa(d.port) }

// printHelp prints what to try.
func (d *demo) printHelp() {
	_, _ = fmt.Fprintf(d.out, `caddy-chatkit demo: open %[1]s/ in a browser, or use these commands.

Create a session (served by the backend):
  curl -i -X POST %[1]s/api/custom/session

Break the backend, then create another session (served by openai, with the reason):
  curl -X POST %[1]s/demo/backend/refuse

Heal it:
  curl -X POST %[1]s/demo/backend/heal

Other faults, in place of refuse (an unknown word lists all of them):
%[2]s
Break OpenAI in the same way: %[1]s/demo/openai/500
Metrics: %[1]s/metrics

What an operator does, in another terminal:
  caddy chatkit-status --watch%[3]s
  caddy chatkit-breaker open backend --for 1m --reason "trying it out"%[3]s
  caddy chatkit-breaker auto backend%[3]s

Ctrl-C ends it.

`, d.url(), someFaults(), d.addressFlag())
}

// someFaults lists what is worth trying, by kind.
func someFaults() string {
	kinds := []struct {
		does   string
		faults []sandbox.Fault
	}{
		{"breaks the connection", []sandbox.Fault{sandbox.Reset, sandbox.Hang, sandbox.Slow, sandbox.Cut, sandbox.Garbage}},
		{"answers with an error", []sandbox.Fault{sandbox.Status500, sandbox.Status503Retry, sandbox.Status429, sandbox.Status404, sandbox.Status403}},
		{"answers 200 without a session", []sandbox.Fault{sandbox.HTML, sandbox.Null, sandbox.EmptySecret, sandbox.Expired}},
	}
	lines := make([]string, len(kinds))
	for i, k := range kinds {
		lines[i] = fmt.Sprintf("  %-30s %s", k.does, strings.Trim(fmt.Sprint(k.faults), "[]"))
	}
	return strings.Join(lines, "\n")
}

// addressFlag is what commands for operators need to find the demo.
func (d *demo) addressFlag() string {
	if d.admin == net.JoinHostPort("localhost", strconv.Itoa(usualAdminPort)) {
		return ""
	}
	return " --address " + d.admin
}
