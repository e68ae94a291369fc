package chain

import (
	"testing"
	"time"
)

func TestFullJitter(t *testing.T) {
	const base = 100 * time.Millisecond
	cases := []struct {
		name string
		base time.Duration
		try  int
		most time.Duration
	}{
		{"first", base, 0, base},
		{"second", base, 1, 2 * base},
		{"third", base, 2, 4 * base},
		{"doubles ten times at most", base, 50, 1024 * base},
		{"none", 0, 3, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			short, long := time.Duration(1<<62), time.Duration(0)
			for range 2000 {
				d := fullJitter(c.base, c.try)
				short, long = min(short, d), max(long, d)
			}
			if short < 0 || long > c.most {
				t.Errorf("waits from %s to %s, want 0 to %s", short, long, c.most)
			}
			// Full jitter: both ends of the range are used.
			if short > c.most/20 || long < c.most*19/20 {
				t.Errorf("waits from %s to %s do not fill 0 to %s", short, long, c.most)
			}
		})
	}
}

// A schedule that is written down is kept to the letter.
func TestSchedule(t *testing.T) {
	target := Target{Schedule: time.Second, Backoff: time.Hour}
	for try, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if got := target.wait(try); got != want {
			t.Errorf("waits %s before retry %d, want %s", got, try+1, want)
		}
	}
}
