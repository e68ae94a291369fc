package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// turnSites are the ways of proxying a turn of ChatKit's protocol, in the order of
// the output.
var turnSites = []site{
	{"reverse_proxy", "reverse_proxy BACKEND" + patient},
	{"attach off", turnBlock("attach off")},
	{"attach on", turnBlock("attach on")},
	{"first_token", turnBlock("first_token 5m")},
}

// patient lets a busy machine take its time.
const patient = " {\ntransport http {\ndial_timeout 30s\n}\n}"

func turnBlock(option string) string {
	return "chatkit {\nanonymous\nprovider backend http://BACKEND" + patient + "\nstream off\nchatkit /api/custom/stream / {\n" + option + "\n}\n}"
}

// turnRun is one measurement.
type turnRun struct {
	turns, deltas int
	every         time.Duration
	profile       string // files for a CPU and a heap profile of each way, "" for none
}

// turnCost is what turns cost the proxy. CPU times are user and system.
type turnCost struct {
	live     int64 // heap and stacks per turn shortly before its end, after a collection, in bytes
	resident int64 // peak resident set size per turn, in bytes
	begin    int64 // CPU per turn until the backend has it, in ns
	event    int64 // CPU per event, in ns
	all      int64 // CPU per turn from its beginning to its end, in ns
}

// measureTurns prints the memory and CPU of turns through chatkit and
// reverse_proxy, in turn, each in its own process.
func measureTurns(ctx context.Context, run turnRun, rounds int) error {
	backend, err := startBackend()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "streams")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := build(ctx, dir)
	if err != nil {
		return err
	}
	per := map[string][]turnCost{}
	for range rounds {
		for _, s := range turnSites {
			m, err := run.cost(ctx, binary, backend, s)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			per[s.name] = append(per[s.name], m)
			run.print(s.name, m)
		}
	}
	fmt.Println("medians, and their ratios to reverse_proxy:")
	plain := medianTurn(per[turnSites[0].name])
	for _, s := range turnSites {
		m := medianTurn(per[s.name])
		run.print(s.name, m)
		ratio := func(a, b int64) float64 { return float64(a) / float64(b) }
		fmt.Printf("%-16s%35.2f%17.2f%23.2f%21.2f%17.2f\n", "", ratio(m.live, plain.live), ratio(m.resident, plain.resident),
			ratio(m.begin, plain.begin), ratio(m.event, plain.event), ratio(m.all, plain.all))
	}
	return nil
}

func (run turnRun) print(name string, m turnCost) {
	fmt.Printf("%-16s%6d turns of %d events: %7d B live%9d B resident%9.0f µs to begin%9.2f µs per event%9.0f µs in all\n", name, run.turns,
		run.events(), m.live, m.resident, float64(m.begin)/1e3, float64(m.event)/1e3, float64(m.all)/1e3)
}

// medianTurn returns the median of each cost.
func medianTurn(all []turnCost) turnCost {
	of := func(what func(turnCost) int64) int64 {
		values := make([]int64, len(all))
		for i, c := range all {
			values[i] = what(c)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return turnCost{
		of(func(c turnCost) int64 { return c.live }), of(func(c turnCost) int64 { return c.resident }),
		of(func(c turnCost) int64 { return c.begin }), of(func(c turnCost) int64 { return c.event }),
		of(func(c turnCost) int64 { return c.all }),
	}
}

// cost begins the turns, lets all of them run at once, and holds them shortly before
// their end to look at the memory. It returns an error unless every event arrives.
func (run turnRun) cost(ctx context.Context, binary, backend string, s site) (m turnCost, err error) {
	p, err := startProxy(ctx, binary, backend, []site{s})
	if err != nil {
		return m, err
	}
	defer p.stop()
	var at [3]cost // idle, all begun, all but ended
	if at[0], err = p.cost(ctx); err != nil {
		return m, err
	}
	start := hold()
	all, clients := errgroup.WithContext(ctx)
	run.begin(clients, all, p.url("HTTP/1.1", p.port("HTTP/1.1", s.name)))
	if err := awaitHeld(clients, run.turns); err != nil {
		return m, errors.Join(err, all.Wait())
	}
	if at[1].cpu, err = p.cpu(); err != nil {
		return m, err
	}
	end := hold()
	start()
	stopProfile := p.profile(ctx, run.profile, s.name, time.Duration(run.deltas)*run.every)
	if err := run.awaitArrived(clients); err != nil {
		return m, errors.Join(err, all.Wait())
	}
	cpu, err := p.cpu()
	if err := errors.Join(err, stopProfile()); err != nil {
		return m, err
	}
	at[2], err = p.cost(ctx)
	err = errors.Join(err, p.write(ctx, "heap", run.profile, s.name))
	before, cpuErr := p.cpu()
	end()
	if err := errors.Join(err, cpuErr, all.Wait()); err != nil {
		return m, err
	}
	after, err := p.cpu()
	return run.costOf(at, cpu, after-before), err
}

// costOf returns the cost of a turn. cpu is when all events but the last have arrived,
// ending what the last took.
func (run turnRun) costOf(at [3]cost, cpu, ending int64) turnCost {
	n := int64(run.turns)
	return turnCost{
		live: (at[2].live - at[0].live) / n, resident: (at[2].resident - at[0].resident) / n,
		begin: (at[1].cpu - at[0].cpu) * 1000 / n, event: (cpu - at[1].cpu) * 1000 / (n * int64(run.events()-tailEvents)),
		all: (cpu - at[0].cpu + ending) * 1000 / n,
	}
}

// atOnce is how many connections may be on their way: the kernel drops what a storm
// of them brings.
const atOnce = 100

// begin begins the turns, each from a page of its own.
func (run turnRun) begin(ctx context.Context, all *errgroup.Group, address string) {
	arrived.Store(0)
	for i := range run.turns {
		client := newClient("HTTP/1.1")
		all.Go(func() error {
			defer client.CloseIdleConnections()
			return readTurn(ctx, client, address, i, run)
		})
		for held.Load()+atOnce <= int64(i) && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// profile begins to write a CPU profile of the proxy, if there is a file for it. wait
// waits for its end.
func (p *proxy) profile(ctx context.Context, file, way string, d time.Duration) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- p.write(ctx, fmt.Sprintf("profile?seconds=%d", max(1, int(d.Seconds()))), file, way) }()
	return func() error { return <-done }
}

// write writes a profile of the proxy into a file, if there is one.
func (p *proxy) write(ctx context.Context, profile, file, way string) error {
	if file == "" {
		return nil
	}
	raw, err := get(ctx, "http://127.0.0.1:"+p.Admin+"/debug/pprof/"+profile)
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(profile, "?")
	return os.WriteFile(file+"."+kind+"."+strings.ReplaceAll(way, " ", "-"), []byte(raw), 0o600)
}
