// Command hedge measures what hedging does to the time to a session: a backend that takes
// 2 s for one request in twenty and 20 ms for all others, in front of it the real binary
// without hedging and with `hedge p95`, and behind it another backend. It prints the
// percentiles of both side by side, and what became of the sessions that nobody got.
//
// Usage: go run ./bench/hedge [-sessions 5000] [-rate 100]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	log.SetFlags(0)
	sessions := flag.Int("sessions", 5000, "sessions of each run")
	rate := flag.Int("rate", 100, "sessions per second")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *sessions, *rate); err != nil {
		stop()
		log.Fatal("hedge: ", err)
	}
}

// measure runs the load without and with hedging.
func measure(ctx context.Context, sessions, rate int) error {
	dir, err := os.MkdirTemp("", "hedge")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bin")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/caddy") //nolint:gosec // in a directory of our own
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	fmt.Printf("%-12s%10s%10s%10s%10s%8s%10s%10s%10s%12s\n", "", "p50 ms", "p95 ms", "p99 ms", "max ms", "failed", "hedged", "made", "served", "canceled")
	for _, option := range []string{"", "hedge p95"} {
		r, err := run(ctx, binary, dir, option, sessions, rate)
		if err != nil {
			return err
		}
		r.print(option)
	}
	return nil
}

// result is what a run has measured.
type result struct {
	took                           []time.Duration
	failed, hedges                 int
	err                            error // of the last that failed
	made, served, canceled, doubly int
}

func (r *result) print(option string) {
	slices.Sort(r.took)
	at := func(p float64) float64 {
		return float64(r.took[int(p*float64(len(r.took)-1))].Microseconds()) / 1000
	}
	if option == "" {
		option = "without"
	}
	fmt.Printf("%-12s%10.1f%10.1f%10.1f%10.1f%8d%9.1f%%%10d%10d%12d\n", option, at(.5), at(.95), at(.99), at(1), r.failed,
		100*float64(r.hedges)/float64(len(r.took)), r.made, r.served, r.canceled)
	if r.err != nil {
		fmt.Println("the last that failed:", r.err)
	}
	if r.doubly > 0 || r.made != r.served+r.canceled {
		fmt.Printf("NOT BALANCED: %d sessions were made, %d served and %d canceled, %d of them both\n", r.made, r.served, r.canceled, r.doubly)
	}
}
