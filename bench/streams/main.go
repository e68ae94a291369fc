// Command streams measures what chatkit adds to event streams: the lag of each
// event, and the memory of many concurrent streams. It compares them with a
// direct connection and with Caddy's reverse_proxy in the same binary. It builds
// the binary, runs it on this machine, and stops it.
//
// Usage: go run ./bench/streams lag|memory [-streams 5000] [-rounds 3]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: streams lag|memory [flags]")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	streams := flags.Int("streams", 5000, "concurrent streams (memory)")
	rounds := flags.Int("rounds", 3, "number of rounds, whose median is printed (memory)")
	_ = flags.Parse(os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch os.Args[1] {
	case "lag":
		err = measureLag(ctx)
	case "memory":
		err = measureMemory(ctx, *streams, *rounds)
	default:
		err = fmt.Errorf("unknown measurement %q (want lag or memory)", os.Args[1])
	}
	if err != nil {
		stop()
		log.Fatal("streams: ", err)
	}
}
