package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// The concurrent streams.
const (
	memoryEvents = 10
	memoryEvery  = 200 * time.Millisecond
)

// cost is the resources that a process uses.
type cost struct {
	live     int64 // heap and stacks in use, after a collection, in bytes
	resident int64 // peak resident set size, in bytes
	cpu      int64 // user and system, in µs
}

// measureMemory prints the memory and CPU per stream through chatkit and
// reverse_proxy, in turn, each in its own process.
func measureMemory(ctx context.Context, streams, rounds int) error {
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
	per := map[string][]cost{}
	for range rounds {
		for _, way := range []string{"reverse_proxy", "chatkit"} {
			m, err := perStream(ctx, binary, backend, way, streams)
			if err != nil {
				return fmt.Errorf("%s: %w", way, err)
			}
			per[way] = append(per[way], m)
			fmt.Printf("%-16s%6d streams, all %d events of each; per stream %6d B live, %6d B resident, %4d µs CPU\n",
				way, streams, memoryEvents, m.live, m.resident, m.cpu)
		}
	}
	ratio := func(of func(cost) int64) float64 {
		return median(per["chatkit"], of) / median(per["reverse_proxy"], of)
	}
	fmt.Printf("ratio of the medians: %.3f live, %.3f resident, %.3f CPU\n", ratio(func(c cost) int64 { return c.live }),
		ratio(func(c cost) int64 { return c.resident }), ratio(func(c cost) int64 { return c.cpu }))
	return nil
}

func median(all []cost, of func(cost) int64) float64 {
	values := make([]int64, len(all))
	for i, c := range all {
		values[i] = of(c)
	}
	slices.Sort(values)
	return float64(values[len(values)/2])
}

// perStream opens the streams, lets all of them run, and returns the cost of each.
// It returns an error unless every event arrives.
func perStream(ctx context.Context, binary, backend, way string, streams int) (m cost, err error) {
	p, err := startProxy(ctx, binary, backend, sites)
	if err != nil {
		return m, err
	}
	defer p.stop()
	before, err := p.cost(ctx)
	if err != nil {
		return m, err
	}
	all, clients := errgroup.WithContext(ctx)
	release := hold()
	address := p.url("HTTP/1.1", p.port("HTTP/1.1", way))
	for range streams {
		client := newClient("HTTP/1.1")
		all.Go(func() error {
			defer client.CloseIdleConnections()
			_, err := read(clients, client, address, memoryEvents, memoryEvery)
			return err
		})
		time.Sleep(100 * time.Microsecond) // avoid a storm of connections
	}
	if err := awaitHeld(clients, streams); err != nil {
		return m, errors.Join(err, all.Wait())
	}
	release()
	time.Sleep(memoryEvents / 2 * memoryEvery) // all are running
	during, err := p.cost(ctx)
	if err := errors.Join(err, all.Wait()); err != nil {
		return m, err
	}
	after, err := p.cost(ctx)
	if err != nil {
		return m, err
	}
	n := int64(streams)
	return cost{(during.live - before.live) / n, (during.resident - before.resident) / n, (after.cpu - before.cpu) / n}, nil
}

// cost reads the proxy's cost so far, from its own profile and from the system.
func (p *proxy) cost(ctx context.Context) (m cost, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return m, err
	}
	high, err := numberAfter(string(status), "VmHWM:")
	if err != nil {
		return m, err
	}
	profile, err := get(ctx, "http://127.0.0.1:"+p.Admin+"/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return m, err
	}
	heap, err := numberAfter(profile, "# HeapAlloc =")
	if err != nil {
		return m, err
	}
	stack, err := numberAfter(profile, "# Stack =")
	if err != nil {
		return m, err
	}
	cpu, err := p.cpu()
	return cost{live: heap + stack, resident: high << 10, cpu: cpu}, err
}

// cpu returns the proxy's CPU time, user and system, in µs.
func (p *proxy) cpu() (int64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the program's name may contain spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("no CPU times in %q", stat)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return (user + system) * 10_000, err // clock ticks are 10 ms on Linux
}

func get(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return string(raw), err
}

// numberAfter returns the number that follows a name in a text.
func numberAfter(text, name string) (int64, error) {
	_, rest, ok := strings.Cut(text, name)
	fields := strings.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, fmt.Errorf("no number after %q", name)
	}
	return strconv.ParseInt(fields[0], 10, 64)
}
