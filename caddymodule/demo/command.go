package demo

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "chatkit-demo",
		Usage: "[--port <port>] [--admin-port <port>] [--chaos <interval>]",
		Short: "Shows how chat sessions fail over, with simulated providers",
		Long: `
Starts a simulated custom backend, a simulated ChatKit sessions endpoint of OpenAI,
and Caddy with the chatkit handler in front of them on localhost. A web page shows
sessions, replies, ChatKit turns and breakers, and has buttons to break things, to
lose a turn's connection, and to force breakers. The command prints what
to try, and a line for each request: who served it, why, and how long it took. It
needs no account, and nothing leaves this machine. Press Ctrl-C to stop.

With --chaos, the backend breaks and heals at the given interval, in a different
way each time.`,
		Flags: flags(),
		Func:  run,
	})
}

const defaultPort = 8080

func flags() *flag.FlagSet {
	fs := flag.NewFlagSet("chatkit-demo", flag.ExitOnError)
	fs.Int("port", defaultPort, "Port to listen on")
	fs.Int("admin-port", 0, "Port of the admin API (0: 2019, or any if that is in use)")
	fs.Duration("chaos", 0, "Interval at which to break or heal the backend (0: never)")
	return fs
}

// run runs the command.
func run(fl caddycmd.Flags) (int, error) {
	port, adminPort, chaos := fl.Int("port"), fl.Int("admin-port"), fl.Duration("chaos")
	if fl.NArg() > 0 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("unexpected argument %q (chatkit-demo takes flags only)", fl.Arg(0))
	}
	if adminPort < 0 || adminPort > 65535 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("admin-port: %d is not between 0 and 65535", adminPort)
	}
	if port < 1 || port > 65535 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("port: %d is not between 1 and 65535", port)
	}
	if chaos < 0 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("chaos: %s is negative", chaos)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d, err := start(port, adminPort, os.Stdout)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	d.printHelp()
	if chaos > 0 {
		go d.runChaos(ctx, chaos)
	}
	<-ctx.Done()
	// From here on a second Ctrl-C kills the process, in case stopping hangs.
	stop()
	if err := d.stop(); err != nil {
		return caddy.ExitCodeFailedQuit, err
	}
	return caddy.ExitCodeSuccess, nil
}

// stopLimit is how long the control server may take to stop.
const stopLimit = 2 * time.Second
