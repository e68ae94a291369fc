// Command streams measures what chatkit adds to event streams: the lag of each
// event, and the memory of many streams at once, against a direct connection
// and against Caddy's reverse_proxy in the same binary. It builds the binary,
// runs it on this machine and ends it.
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
	streams := flags.Int("streams", 5000, "streams at once (memory)")
	rounds := flags.Int("rounds", 3, "rounds, of which the median counts (memory)")
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
		err = fmt.Errorf("no measurement %q: lag or memory", os.Args[1])
	}
	if err != nil {
		stop()
		log.Fatal("streams: ", err)
	}
}
