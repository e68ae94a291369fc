package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// tokenVariable is the environment variable that holds the token of drills.
const tokenVariable = "CHATKIT_DRILL_TOKEN" //nolint:gosec // a name

// sessionPath is asked where the URL has no path.
const sessionPath = "/api/custom/session"

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-drill",
		Usage: "<url> [--token <token>] [--header <name: value>...] [--timeout <duration>]",
		Short: "Tries whether the fallback of a chat works",
		Long: `
Asks a site for two sessions: one as any front end does, and one that leaves out the
first provider, with the site's drill token. It prints who served. The exit code is 0
if another provider than the first has served the second.

The token is best put into the environment variable ` + tokenVariable + `: others on
this machine can see arguments. The path of the URL is that of a session route, ` + sessionPath + `
if there is none. A site that wants to know who asks takes its header.

  caddy chatkit-drill https://chat.example.com
  caddy chatkit-drill https://chat.example.com/api/chatkit/session --header "Cookie: login=…"`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.Flags().String("token", "", "The token of drill (default: $"+tokenVariable+")")
			cmd.Flags().StringArray("header", nil, "A header of both requests, may be repeated")
			cmd.Flags().Duration("timeout", 30*time.Second, "How long each request may take")
			cmd.ValidArgsFunction = cobra.NoFileCompletions
			cmd.RunE = caddycmd.WrapCommandFuncForCobra(runDrill)
		},
	})
}

// runDrill runs the command chatkit-drill.
func runDrill(fl caddycmd.Flags) (int, error) {
	d, err := newDrill(fl)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	err = d.run(os.Stdout)
	return exitCode(err), err
}

// drill is what to ask.
type drill struct {
	url, token string
	header     http.Header
	client     *http.Client
}

// newDrill checks the arguments.
func newDrill(fl caddycmd.Flags) (*drill, error) {
	switch {
	case fl.NArg() == 0:
		return nil, errors.New("the URL of the site is missing (want https://chat.example.com)")
	case fl.NArg() > 1:
		return nil, fmt.Errorf("unexpected argument %q after %s", fl.Arg(1), fl.Arg(0))
	}
	u, err := url.Parse(fl.Arg(0))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("invalid URL %q (want https://chat.example.com)", fl.Arg(0))
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = sessionPath
	}
	d := &drill{url: u.String(), token: cmp.Or(fl.String("token"), os.Getenv(tokenVariable)), header: make(http.Header)}
	if d.token == "" {
		return nil, fmt.Errorf("the token is missing (set %s, or --token)", tokenVariable)
	}
	lines, err := fl.GetStringArray("header")
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("invalid header %q (want \"name: value\")", name)
		}
		d.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	d.client = &http.Client{
		Timeout:       fl.Duration("timeout"),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this site
	}
	return d, nil
}

// answered is what a site has answered.
type answered struct {
	status           int
	provider, reason string
	took             time.Duration
}

// String says who served.
func (a *answered) String() string {
	text := fmt.Sprintf("%d, %s", a.status, a.took.Round(time.Millisecond))
	switch {
	case a.status != http.StatusOK:
		return "nobody served (" + text + ")"
	case a.reason != "":
		text += ", because of " + printable(a.reason)
	}
	return printable(a.provider) + " served (" + text + ")"
}

// run asks without and with the token.
func (d *drill) run(out io.Writer) error {
	_, _ = fmt.Fprintln(out, d.url)
	plain, err := d.ask("")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "as it is:        ", plain)
	drilled, err := d.ask(d.token)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "without the first:", drilled)
	if err := judge(plain, drilled); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "The fallback works.")
	return nil
}

// judge says whether the fallback works.
func judge(plain, drilled *answered) error {
	switch {
	case plain.provider == "" && drilled.provider == "" && drilled.status != http.StatusServiceUnavailable && drilled.status != http.StatusBadGateway &&
		drilled.status != http.StatusGatewayTimeout:
		return fmt.Errorf("no chat provider has answered (HTTP %d); is the path that of a session route, and does it need a --header?", drilled.status)
	case drilled.status == http.StatusOK && drilled.reason != "drill":
		return errors.New("the site took no notice of the token: drill is not set there, or to another one")
	case drilled.status != http.StatusOK:
		return fmt.Errorf("the fallback does not work (HTTP %d); the log of the site says why", drilled.status)
	}
	return nil
}

// ask asks for a session, with a token unless that is "".
func (d *drill) ask(token string) (*answered, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, d.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header = d.header.Clone()
	r.Header.Set("User-Agent", "chatkit-drill")
	if token != "" {
		r.Header.Set("X-ChatKit-Drill", token)
	}
	start := time.Now()
	resp, err := d.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return &answered{
		status: resp.StatusCode, provider: resp.Header.Get("X-ChatKit-Provider"),
		reason: resp.Header.Get("X-ChatKit-Fallback-Reason"), took: time.Since(start),
	}, nil
}
