package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// measureHung has many clients ask within a short time while the first backend hangs.
func measureHung(ctx context.Context, clients int, over time.Duration) error {
	dir, err := os.MkdirTemp("", "outage")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := build(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Printf("%d clients in %s, the first backend hangs\n\n", clients, over)
	fmt.Printf("%-24s %12s %10s %10s %10s %10s %10s %8s\n", "", "at backend", "goroutines", "MiB", "p50", "p99", "max", "without")
	for _, limit := range []string{"50", "1000000"} {
		if err := hung(ctx, binary, limit, clients, over); err != nil {
			return err
		}
	}
	return nil
}

func hung(ctx context.Context, binary, limit string, clients int, over time.Duration) error {
	first, c, err := start(ctx, binary, "timeout 10s\n max_in_flight "+limit)
	if err != nil {
		return err
	}
	defer c.stop()
	idleGoroutines, idleMemory, err := c.usage(ctx)
	if err != nil {
		return err
	}
	first.hang()
	s := &samples{began: time.Now()}
	var all sync.WaitGroup
	for user := range clients {
		all.Go(func() {
			time.Sleep(over * time.Duration(user) / time.Duration(clients))
			s.ask(ctx, c.url, user)
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	goroutines, memory := 0, 0
	for waits := true; waits; {
		select {
		case <-done:
			waits = false
		case <-time.After(100 * time.Millisecond):
		}
		g, m, err := c.usage(ctx)
		if err != nil {
			return err
		}
		goroutines, memory = max(goroutines, g), max(memory, m)
	}
	p50, p99, most := s.quantiles()
	fmt.Printf("%-24s %12d %10s %10s %10s %10s %10s %8d\n", "max_in_flight "+limit, first.waiting.Load(),
		fmt.Sprintf("%d→%d", idleGoroutines, goroutines), fmt.Sprintf("%d→%d", idleMemory, memory),
		p50.Round(time.Millisecond), p99.Round(time.Millisecond), most.Round(time.Millisecond), s.served("", 0, time.Hour))
	return nil
}
