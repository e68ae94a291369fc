package control

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-status",
		Usage: "[--json] [--address <interface>] [--config <path> [--adapter <name>]]",
		Short: "Shows the chat providers of a running Caddy and their breakers",
		Long: `
Asks a running Caddy which providers its chatkit handlers have, and prints a line
for each: the state of its breaker and since when, until when it stays so, the
latest failure, and what an operator has forced and why.`,
		Flags: statusFlags(),
		Func:  runStatus,
	})
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-breaker",
		Usage: "open|close|auto <provider> [--for <duration>] [--reason <text>] [--address <interface>] [--config <path> [--adapter <name>]]",
		Short: "Forces the breaker of a chat provider open or closed, or ends that",
		Long: `
Holds the breaker of a provider open (it is not asked) or closed (it is asked
whatever happens) for a time of at most 24h, or gives it back to itself (auto).
That outlives reloads of the configuration, not a restart.

  caddy chatkit-breaker open backend --for 10m --reason "deploy"
  caddy chatkit-breaker auto backend`,
		Flags: breakerFlags(),
		Func:  runBreaker,
	})
}

const providersPath = "/chatkit/providers"

func addressFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ExitOnError)
	fs.String("address", "", "The address of the admin API")
	fs.String("config", "", "Configuration file that tells the address")
	fs.String("adapter", "", "Adapter of the configuration file")
	return fs
}

func statusFlags() *flag.FlagSet {
	fs := addressFlags("chatkit-status")
	fs.Bool("json", false, "Print what the admin API says")
	return fs
}

func breakerFlags() *flag.FlagSet {
	fs := addressFlags("chatkit-breaker")
	fs.String("for", "", "How long, at most 24h (required with open and close)")
	fs.String("reason", "", "Why, for those who look")
	return fs
}

// runStatus is the command chatkit-status.
func runStatus(fl caddycmd.Flags) (int, error) {
	if fl.NArg() > 0 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("unexpected argument %q", fl.Arg(0))
	}
	raw, err := ask(fl, http.MethodGet, providersPath, nil)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if fl.Bool("json") {
		_, err = os.Stdout.Write(raw)
		return exitCode(err), err
	}
	var all []provider
	if err := json.Unmarshal(raw, &all); err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading answer of the admin API: %w", err)
	}
	err = writeTable(os.Stdout, all)
	return exitCode(err), err
}

// runBreaker is the command chatkit-breaker.
func runBreaker(fl caddycmd.Flags) (int, error) {
	if fl.NArg() != 2 || !slices.Contains([]string{"open", "close", "auto"}, fl.Arg(0)) {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("chatkit-breaker takes open, close or auto, and a provider")
	}
	action := fl.Arg(0)
	var body []byte
	if action != "auto" {
		if fl.String("for") == "" {
			return caddy.ExitCodeFailedStartup, fmt.Errorf("--for is missing: how long, such as 10m")
		}
		var err error
		if body, err = json.Marshal(map[string]string{"for": fl.String("for"), "reason": fl.String("reason")}); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
	}
	raw, err := ask(fl, http.MethodPost, providersPath+"/"+url.PathEscape(fl.Arg(1))+"/"+action, body)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	var p provider
	if err := json.Unmarshal(raw, &p); err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading answer of the admin API: %w", err)
	}
	err = writeTable(os.Stdout, []provider{p})
	return exitCode(err), err
}

func exitCode(err error) int {
	if err != nil {
		return caddy.ExitCodeFailedStartup
	}
	return caddy.ExitCodeSuccess
}

// ask sends a request to the admin API of the running Caddy.
func ask(fl caddycmd.Flags, method, path string, body []byte) ([]byte, error) {
	address, err := caddycmd.DetermineAdminAPIAddress(fl.String("address"), nil, fl.String("config"), fl.String("adapter"))
	if err != nil {
		return nil, fmt.Errorf("finding the admin API: %w", err)
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	resp, err := caddycmd.AdminAPIRequest(address, method, path, nil, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
