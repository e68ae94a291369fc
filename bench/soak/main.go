// Command soak runs the real binary for a long time under everything that happens
// to it in production: sessions, refreshes, streams, turns and WebSockets, clients
// that leave, backends with faults, reloads, refused reloads and forced breakers.
// It samples memory, goroutines and descriptors, and reports whether they are flat,
// whether they go back to where they were when the load ends, and whether anybody
// got an answer that the product does not give. Its exit code is 1 if not.
//
// Usage: go run ./bench/soak [-for 30m] [-clients 4] [-every 10s] [-binary path]
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

// options are the flags.
type options struct {
	length  time.Duration
	every   time.Duration
	clients int
	binary  string
}

func main() {
	log.SetFlags(log.Ltime)
	var o options
	flag.DurationVar(&o.length, "for", 30*time.Minute, "how long the load runs")
	flag.DurationVar(&o.every, "every", 10*time.Second, "time between two samples")
	flag.IntVar(&o.clients, "clients", 4, "concurrent clients of each kind")
	flag.StringVar(&o.binary, "binary", "", "the binary to run; built from this module if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		log.Fatal("soak: ", err)
	}
	log.Print("soak: passed")
}

// run builds the binary if there is none, and runs the load against it.
func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		o.binary = filepath.Join(dir, "caddy")
		build := exec.CommandContext(ctx, "go", "build", "-o", o.binary, "./cmd/caddy") //nolint:gosec // in a directory of our own
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return err
		}
	}
	b, err := newBackends()
	if err != nil {
		return err
	}
	p, err := startProxy(ctx, o.binary, dir, b)
	if err != nil {
		return err
	}
	defer p.stop()
	return soak(ctx, o, p, b)
}

// soak is the run: a short load that warms up, a pause whose figures the end is
// compared with, the load, and the end.
func soak(ctx context.Context, o options, p *proxy, b *backends) error {
	t := newTally()
	warm := min(o.length/6, 2*time.Minute)
	log.Printf("warming up for %v, then %v of load", warm, o.length)
	load(ctx, o, p, b, t, warm, nil)
	before, err := p.settled(ctx)
	if err != nil {
		return err
	}
	log.Printf("%-9s %v", "at rest", before)
	var all samples
	load(ctx, o, p, b, t, o.length, &all)
	after, err := p.settled(ctx)
	if err != nil {
		return err
	}
	log.Printf("%-9s %v", "at rest", after)
	t.print()
	return errors.Join(t.verdict(), all.verdict(), atRest(before, after), ctx.Err())
}
