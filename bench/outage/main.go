// Command outage measures what an outage of the first provider costs the users: a
// backend that hangs for a while and comes back, and one that hangs while many clients
// ask at once. It builds the binary, runs it on this machine, and stops it.
//
// Usage: go run ./bench/outage recovery|hung [-rate 50] [-dead 20s] [-clients 2000] [-over 5s]
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
		log.Fatal("usage: outage recovery|hung [flags]")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	rate := flags.Int("rate", 50, "sessions per second (recovery)")
	dead := flags.Duration("dead", 20*time.Second, "how long the backend hangs (recovery)")
	clients := flags.Int("clients", 2000, "clients that ask (hung)")
	over := flags.Duration("over", 5*time.Second, "the time in which they come (hung)")
	_ = flags.Parse(os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch os.Args[1] {
	case "recovery":
		err = measureRecovery(ctx, *rate, *dead)
	case "hung":
		err = measureHung(ctx, *clients, *over)
	default:
		err = fmt.Errorf("unknown measurement %q (want recovery or hung)", os.Args[1])
	}
	if err != nil {
		stop()
		log.Fatal("outage: ", err)
	}
}
