package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// The stream whose events are timed.
const (
	lagEvents = 200
	lagEvery  = 20 * time.Millisecond
)

// measureLag prints the lag of events, per version of HTTP and site.
func measureLag(ctx context.Context) error {
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
	p, err := startProxy(ctx, binary, backend, sites)
	if err != nil {
		return err
	}
	defer p.stop()
	fmt.Printf("%d events, %v apart; lag in µs\n%-10s%-24s%8s%8s%8s\n", lagEvents, lagEvery, "", "", "median", "p99", "max")
	if err := printLag(ctx, "HTTP/1.1", "direct", "http://"+backend); err != nil {
		return err
	}
	for _, version := range versions {
		for _, s := range sites {
			if err := printLag(ctx, version, s.name, p.url(version, p.port(version, s.name))); err != nil {
				return err
			}
		}
	}
	return nil
}

func printLag(ctx context.Context, version, way, address string) error {
	client := newClient(version)
	defer client.CloseIdleConnections()
	all, err := read(ctx, client, address, lagEvents, lagEvery)
	if err != nil {
		return fmt.Errorf("%s %s: %w", version, way, err)
	}
	slices.Sort(all)
	fmt.Printf("%-10s%-24s%8d%8d%8d\n", version, way, all[len(all)/2].Microseconds(),
		all[len(all)*99/100].Microseconds(), all[len(all)-1].Microseconds())
	return nil
}
