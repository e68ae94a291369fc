package main

import (
	"errors"
	"fmt"
	"log"
	"slices"
	"time"
)

// figure is something that must not grow.
type figure struct {
	name  string
	of    func(sample) float64
	share float64 // how much of its median it may grow in the run
	least float64 // or by this much, if that is more
}

var figures = []figure{
	{"RSS (KiB)", func(s sample) float64 { return s.resident }, 0.10, 8 << 10},
	{"live heap (KiB)", func(s sample) float64 { return s.live }, 0.10, 4 << 10},
	{"goroutines", func(s sample) float64 { return s.goroutines }, 0.10, 15},
	{"descriptors", func(s sample) float64 { return s.descriptors }, 0.10, 8},
}

// fewest is how many samples a slope takes.
const fewest = 12

// verdict returns an error unless every figure is flat.
func (all samples) verdict() error {
	if len(all) < fewest {
		return fmt.Errorf("%d samples, and a slope takes %d: run for longer, or sample more often", len(all), fewest)
	}
	kept := all[len(all)/5:] // the first ones still fill caches
	length := kept[len(kept)-1].at.Sub(kept[0].at)
	var errs []error
	for _, f := range figures {
		values := make([]float64, len(kept))
		for i, s := range kept {
			values[i] = f.of(s)
		}
		middle := median(values)
		growth, may := slope(kept, f.of)*length.Hours(), max(f.share*middle, f.least)
		log.Printf("%-16s median %9.0f, lowest %9.0f, highest %9.0f, slope %+9.1f an hour: %+9.1f in %v (may be %.0f)",
			f.name, middle, slices.Min(values), slices.Max(values), growth/length.Hours(), growth, length.Round(time.Second), may)
		if growth > may {
			errs = append(errs, fmt.Errorf("%s is not flat: it has grown by %.0f in %v", f.name, growth, length))
		}
	}
	return errors.Join(errs...)
}

// slope returns the median of the slopes between every two samples, in units an
// hour (Theil and Sen): what happens once does not tilt it.
func slope(all samples, of func(sample) float64) float64 {
	var slopes []float64
	for i, a := range all {
		for _, b := range all[i+1:] {
			if hours := b.at.Sub(a.at).Hours(); hours > 0 {
				slopes = append(slopes, (of(b)-of(a))/hours)
			}
		}
	}
	return median(slopes)
}

// median returns the middle value, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// atRest returns an error if something of the load is left behind.
func atRest(before, after sample) error {
	var errs []error
	for _, f := range figures[1:] { // the system takes memory back when it likes
		if grown := f.of(after) - f.of(before); grown > f.least {
			errs = append(errs, fmt.Errorf("%s: %.0f more at rest than before the load", f.name, grown))
		}
	}
	return errors.Join(errs...)
}
