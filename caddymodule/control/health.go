package control

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-health",
		Usage: "[--ready] [--timeout <duration>] [--address <interface>] [--config <path> [--adapter <name>]]",
		Short: "Says by its exit status whether a running Caddy is well",
		Long: `
Asks the admin API of a running Caddy whether it is live, or with --ready whether
every session route has a provider that may be asked, and no shutdown has begun.
The exit status is 0 if so, else 1. It is for the health check of a container that
has no other program.

  caddy chatkit-health
  caddy chatkit-health --ready --timeout 1s`,
		CobraFunc: func(cmd *cobra.Command) {
			addAddressFlags(cmd)
			cmd.Flags().Bool("ready", false, "Ask whether it is ready, not only whether it is live")
			cmd.Flags().String("timeout", "2s", "How long to wait for the answer")
			cmd.Args = cobra.NoArgs
			cmd.ValidArgsFunction = cobra.NoFileCompletions
			cmd.RunE = caddycmd.WrapCommandFuncForCobra(runHealth)
		},
	})
}

// runHealth runs the command chatkit-health.
func runHealth(fl caddycmd.Flags) (int, error) {
	err := checkHealth(fl)
	if err == nil {
		_, err = fmt.Fprintln(os.Stdout, "ok")
	}
	return exitCode(err), err
}

// checkHealth asks a probe. Caddy's client has no time limit of its own, and the
// process ends with this function.
func checkHealth(fl caddycmd.Flags) error {
	timeout, err := caddy.ParseDuration(fl.String("timeout"))
	if err != nil || timeout <= 0 {
		return fmt.Errorf("invalid timeout %q (want 500ms, 2s)", fl.String("timeout"))
	}
	path := livePath
	if fl.Bool("ready") {
		path = readyPath
	}
	answered := make(chan error, 1)
	go func() {
		_, err := ask(fl.FlagSet, http.MethodGet, path, nil, nil)
		answered <- err
	}()
	select {
	case err := <-answered:
		return err
	case <-time.After(timeout):
		return errors.New("no answer of the admin API within " + timeout.String())
	}
}
