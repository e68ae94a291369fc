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
Prints one line for each provider of the chatkit handlers in a running Caddy: the
state of its breaker, since when and until when, the last failure, and whether an
operator has forced the breaker and why.`,
		Flags: statusFlags(),
		Func:  runStatus,
	})
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-breaker",
		Usage: "open|close|auto <provider> [--for <duration>] [--reason <text>] [--address <interface>] [--config <path> [--adapter <name>]]",
		Short: "Forces the breaker of a chat provider open or closed, or back to automatic",
		Long: `
Forces a provider's breaker open (the provider is skipped) or closed (the provider
is asked whatever happens) for at most 24h, or ends that (auto). A forced state
survives configuration reloads, and restarts that keep Caddy's storage.

  caddy chatkit-breaker open backend --for 10m --reason "deploy"
  caddy chatkit-breaker auto backend`,
		Flags: breakerFlags(),
		Func:  runBreaker,
	})
}

const providersPath = "/chatkit/providers"

func addressFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ExitOnError)
	fs.String("address", "", "Address of the admin API")
	fs.String("config", "", "Configuration file to read the address from")
	fs.String("adapter", "", "Config adapter for the configuration file")
	return fs
}

func statusFlags() *flag.FlagSet {
	fs := addressFlags("chatkit-status")
	fs.Bool("json", false, "Print the JSON of the admin API")
	return fs
}

func breakerFlags() *flag.FlagSet {
	fs := addressFlags("chatkit-breaker")
	fs.String("for", "", "How long, at most 24h (required for open and close)")
	fs.String("reason", "", "Why; shown by chatkit-status and logged")
	return fs
}

// runStatus runs the command chatkit-status.
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

// runBreaker runs the command chatkit-breaker.
func runBreaker(fl caddycmd.Flags) (int, error) {
	if fl.NArg() != 2 || !slices.Contains([]string{"open", "close", "auto"}, fl.Arg(0)) {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("chatkit-breaker takes open, close or auto, and a provider")
	}
	action := fl.Arg(0)
	var body []byte
	if action != "auto" {
		if fl.String("for") == "" {
			return caddy.ExitCodeFailedStartup, fmt.Errorf("--for is missing (want a duration such as 10m)")
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
