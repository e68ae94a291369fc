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
		Usage: "[--port <port>] [--chaos <interval>]",
		Short: "Shows chat sessions failing over, on stand-ins, without any account",
		Long: `
Starts a stand-in for a custom backend, a stand-in for OpenAI's ChatKit sessions
endpoint, and Caddy with the chatkit handler in front of them on localhost. Its
page shows sessions, replies and breakers, and has buttons that break things. It
prints what to try, and a line for each session: who served it, why, how long it
took. Nothing leaves this machine. Ctrl-C ends it.

With --chaos the backend breaks in another way every so often, and heals in
between.`,
		Flags: flags(),
		Func:  run,
	})
}

const defaultPort = 8080

func flags() *flag.FlagSet {
	fs := flag.NewFlagSet("chatkit-demo", flag.ExitOnError)
	fs.Int("port", defaultPort, "Port to listen on")
	fs.Duration("chaos", 0, "Break or heal the backend at this interval (0: never)")
	return fs
}

// run is the command.
func run(fl caddycmd.Flags) (int, error) {
	port, chaos := fl.Int("port"), fl.Duration("chaos")
	if port < 1 || port > 65535 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("port: %d is not between 1 and 65535", port)
	}
	if chaos < 0 {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("chaos: %s is negative", chaos)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d, err := start(port, os.Stdout)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	d.printHelp()
	if chaos > 0 {
		go d.unrest(ctx, chaos)
	}
	<-ctx.Done()
	// A second Ctrl-C ends a stop that hangs.
	stop()
	if err := d.stop(); err != nil {
		return caddy.ExitCodeFailedQuit, err
	}
	return caddy.ExitCodeSuccess, nil
}

// stopLimit is how long the control server may take to end.
const stopLimit = 2 * time.Second
