package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// Times of a measurement: the backend works, hangs, and works again.
const (
	before = 3 * time.Second
	after  = 20 * time.Second
	ramp   = 10 * time.Second
)

// measureRecovery has a backend hang for a while under load.
func measureRecovery(ctx context.Context, rate int, dead time.Duration) error {
	dir, err := os.MkdirTemp("", "outage")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := build(ctx, dir)
	if err != nil {
		return err
	}
	// A short open time shows in a short measurement what hours do with the default.
	const open = "\n breaker {\n open 3s 3s\n }"
	for _, c := range []struct {
		name, options string
		reloads       bool
	}{
		{"users are the probes", open, false},
		{"health /healthz 1s", open + "\n health /healthz 1s", false},
		{"health /healthz 1s, ramp 10s, a reload each 5s", open + "\n health /healthz 1s\n ramp " + ramp.String(), true},
	} {
		if err := recovery(ctx, binary, c.name, c.options, c.reloads, rate, dead); err != nil {
			return err
		}
	}
	return nil
}

func recovery(ctx context.Context, binary, name, options string, reloads bool, rate int, dead time.Duration) error {
	first, c, err := start(ctx, binary, options)
	if err != nil {
		return err
	}
	defer c.stop()
	s := &samples{began: time.Now()}
	end := before + dead + after
	var all sync.WaitGroup
	all.Go(func() { outage(first, dead) })
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	nextReload := 5 * time.Second
	for user := 0; time.Since(s.began) < end && ctx.Err() == nil; user++ {
		<-tick.C
		all.Go(func() { s.ask(ctx, c.url, user) })
		if reloads && time.Since(s.began) > nextReload {
			nextReload += 5 * time.Second
			all.Go(func() {
				if err := c.reload(ctx); err != nil {
					fmt.Println(err)
				}
			})
		}
	}
	all.Wait()
	p50, p99, most := s.quantiles()
	fmt.Printf("\n%s\n  %d sessions, %d refused, %d connections closed; %d waited for the backend until its breaker opened, %d to find out that it still hung; %d checks of its health\n",
		name, len(s.all), s.served("", 0, end)-s.lost(), s.lost(), first.waiting.Load()-first.probes.Load(), first.probes.Load(), first.checks.Load())
	fmt.Printf("  time to a session: p50 %s, p99 %s, max %s; %d took over 1s; %d served by the second\n",
		p50.Round(time.Millisecond/10), p99.Round(time.Millisecond), most.Round(time.Millisecond), s.slow(time.Second), s.served("second", 0, end))
	fmt.Print("  second: share of the first\n ")
	for at := time.Duration(0); at < end; at += time.Second {
		one, two := s.served("first", at, at+time.Second), s.served("second", at, at+time.Second)
		fmt.Printf(" %d:%.0f%%", at/time.Second, 100*float64(one)/float64(max(one+two, 1)))
	}
	fmt.Println()
	return nil
}

// outage has a backend hang for a while.
func outage(b *backend, dead time.Duration) {
	time.Sleep(before)
	b.hang()
	time.Sleep(dead)
	b.hangs.Store(false)
}

// start starts two backends, and the binary in front of them.
func start(ctx context.Context, binary, options string) (first *backend, c *caddy, err error) {
	if first, err = startBackend(); err != nil {
		return nil, nil, err
	}
	second, err := startBackend()
	if err != nil {
		return nil, nil, err
	}
	c, err = startCaddy(ctx, binary, options, first, second)
	return first, c, err
}
