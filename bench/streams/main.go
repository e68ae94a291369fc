// Command streams measures what chatkit adds to event streams: the lag of each
// event, and the memory and CPU time of many concurrent streams and turns. It
// compares them with a direct connection and with Caddy's reverse_proxy in the same
// binary. It builds the binary, runs it on this machine, and stops it.
//
// Usage: go run ./bench/streams lag|memory|turns [-streams 5000] [-rounds 3]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: streams lag|memory|turns [flags]")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	streams := flags.Int("streams", 5000, "concurrent streams (memory, turns)")
	rounds := flags.Int("rounds", 3, "number of rounds, whose median is printed (memory, turns)")
	deltas := flags.Int("deltas", 25, "deltas of each turn (turns)")
	every := flags.Duration("every", 500*time.Millisecond, "time between deltas (turns)")
	profile := flags.String("profile", "", "begin of the names of files for profiles of each way (turns)")
	_ = flags.Parse(os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch os.Args[1] {
	case "lag":
		err = measureLag(ctx)
	case "memory":
		err = measureMemory(ctx, *streams, *rounds)
	case "turns":
		err = measureTurns(ctx, turnRun{*streams, *deltas, *every, *profile}, *rounds)
	default:
		err = fmt.Errorf("unknown measurement %q (want lag, memory or turns)", os.Args[1])
	}
	if err != nil {
		stop()
		log.Fatal("streams: ", err)
	}
}
