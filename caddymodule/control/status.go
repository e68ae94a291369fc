package control

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-status",
		Usage: "[--watch [<interval>]] [--fallbacks] [--fleet] [--json] [--page [<address>]] [--address <interface>] [--config <path> [--adapter <name>]]",
		Short: "Shows the chat providers of a running Caddy, and who serves now",
		Long: `
Prints who serves each site now, and one line for each provider of the chatkit
handlers in a running Caddy, in the order of the chain: the state of its breaker,
since when and until when, the part of the requests that it served in the last
minute, answers per second, since when it fails (failed probes do not restart this),
the last failure, and whether an operator has forced the breaker and why.

  caddy chatkit-status --watch        # again every 2s, until Ctrl-C
  caddy chatkit-status --watch 10s
  caddy chatkit-status --fallbacks    # and the last 50 fallbacks
  caddy chatkit-status --fleet        # and what each instance says, where they share
  caddy chatkit-status --page         # a web page with buttons, on this machine`,
		CobraFunc: func(cmd *cobra.Command) {
			addAddressFlags(cmd)
			cmd.Flags().Bool("json", false, "Print the JSON of the admin API")
			cmd.Flags().Bool("fallbacks", false, "Print the last 50 fallbacks too")
			cmd.Flags().Bool("fleet", false, "Print what each instance says, where they share what they know")
			cmd.Flags().String("watch", "", "Print again at this interval, 2s if none is given")
			cmd.Flags().Lookup("watch").NoOptDefVal = "2s"
			cmd.Flags().String("page", "", "Serve the status page on this address, localhost:2020 if none is given")
			cmd.Flags().Lookup("page").NoOptDefVal = "localhost:2020"
			cmd.ValidArgsFunction = cobra.NoFileCompletions
			cmd.RunE = caddycmd.WrapCommandFuncForCobra(runStatus)
		},
	})
}

// runStatus runs the command chatkit-status.
func runStatus(fl caddycmd.Flags) (int, error) {
	err := showStatus(fl)
	return exitCode(err), err
}

func showStatus(fl caddycmd.Flags) error {
	watch, page := fl.String("watch"), fl.String("page")
	rest := fl.Args()
	if len(rest) > 0 && (watch != "" || page != "") {
		// A flag whose value may be missing does not take the next word.
		if watch != "" {
			watch = rest[0]
		} else {
			page = rest[0]
		}
		rest = rest[1:]
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case watch != "" && page != "":
		return fmt.Errorf("--watch and --page exclude each other")
	case page != "":
		return servePage(fl.FlagSet, page)
	case watch != "":
		every, err := caddy.ParseDuration(watch)
		if err != nil || every < 500*time.Millisecond || every > time.Minute {
			return fmt.Errorf("invalid interval %q (want 500ms to 1m, such as 2s)", watch)
		}
		return watchStatus(fl, every)
	case fl.Bool("json"):
		raw, err := ask(fl.FlagSet, http.MethodGet, providersPath, nil, nil)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(raw)
		return err
	}
	var o overview
	if _, err := ask(fl.FlagSet, http.MethodGet, statusPath, nil, &o); err != nil {
		return err
	}
	if err := writeOverview(os.Stdout, &o, fl.Bool("fallbacks")); err != nil || !fl.Bool("fleet") {
		return err
	}
	return writeFleet(os.Stdout, o.Providers)
}

// writeOverview prints what is known.
func writeOverview(out io.Writer, o *overview, fallbacks bool) error {
	writeServing(out, o)
	if err := writeTable(out, o.Providers); err != nil {
		return err
	}
	writeNotes(out, o.Providers)
	writeVersion(out, o)
	if !fallbacks {
		return nil
	}
	return writeFallbacks(out, o.Fallbacks)
}
