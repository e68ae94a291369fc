package control

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-breaker",
		Usage: "open|close|auto <provider> [--for <duration>] [--reason <text>] [--address <interface>] [--config <path> [--adapter <name>]]",
		Short: "Forces the breaker of a chat provider open or closed, or back to automatic",
		Long: `
Forces a provider's breaker open (the provider is skipped) or closed (the provider
is asked whatever happens) for at most 24h, or ends that (auto). A forced state
survives reloads, and restarts that keep Caddy's storage. chatkit-status shows who forced it and why.

  caddy chatkit-breaker open backend --for 10m --reason "deploy"
  caddy chatkit-breaker auto backend`,
		CobraFunc: func(cmd *cobra.Command) {
			addAddressFlags(cmd)
			cmd.Flags().String("for", "", "How long, at most 24h (required for open and close)")
			cmd.Flags().String("reason", "", "Why; shown by chatkit-status and logged")
			cmd.ValidArgsFunction = completeBreaker
			cmd.RunE = caddycmd.WrapCommandFuncForCobra(runBreaker)
		},
	})
}

// actions are what can be done to a breaker.
var actions = []string{"open", "close", "auto"}

// completeBreaker completes the arguments in a shell.
func completeBreaker(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return actions, cobra.ShellCompDirectiveNoFileComp
	case 1:
		return fetchNames(cmd.Flags()), cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// runBreaker runs the command chatkit-breaker.
func runBreaker(fl caddycmd.Flags) (int, error) {
	body, err := force(fl)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	action, name := fl.Arg(0), fl.Arg(1)
	var p provider
	_, err = ask(fl.FlagSet, http.MethodPost, providersPath+"/"+url.PathEscape(name)+"/"+action, body, &p)
	if err != nil {
		if like := nearest(name, fetchNames(fl.FlagSet)); like != "" {
			err = fmt.Errorf("%w; did you mean %s?", err, like)
		}
		return caddy.ExitCodeFailedStartup, err
	}
	err = writeTable(os.Stdout, []provider{p})
	return exitCode(err), err
}

// force checks the arguments and returns the body of the request.
func force(fl caddycmd.Flags) ([]byte, error) {
	action := fl.Arg(0)
	switch {
	case fl.NArg() == 0:
		return nil, errors.New("action and provider are missing (want open, close or auto, and a provider)")
	case !slices.Contains(actions, action):
		err := fmt.Errorf("unknown action %q (want open, close or auto)", action)
		if slices.Contains(actions, fl.Arg(1)) {
			return nil, fmt.Errorf("%w; did you mean %s %s?", err, fl.Arg(1), action)
		}
		if like := nearest(action, actions); like != "" {
			return nil, fmt.Errorf("%w; did you mean %s?", err, like)
		}
		return nil, err
	case fl.NArg() == 1:
		return nil, fmt.Errorf("%s: provider is missing%s", action, oneOf(fetchNames(fl.FlagSet)))
	case fl.NArg() > 2:
		return nil, fmt.Errorf("unexpected argument %q after %s %s", fl.Arg(2), action, fl.Arg(1))
	case action == "auto":
		return nil, nil
	case fl.String("for") == "":
		return nil, fmt.Errorf("%s: --for is missing (want a duration such as 10m)", action)
	}
	return json.Marshal(map[string]string{"for": fl.String("for"), "reason": fl.String("reason"), "by": operator()})
}

func oneOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (want " + strings.Join(names, ", ") + ")"
}

// operator returns who runs the command, and where.
func operator() string {
	name := cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER"))
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

func exitCode(err error) int {
	if err != nil {
		return caddy.ExitCodeFailedStartup
	}
	return caddy.ExitCodeSuccess
}
