package sandbox

import (
	"slices"
	"testing"
)

func TestRingKeepsTheLast(t *testing.T) {
	cases := []struct {
		name         string
		added        int
		kept, oldest int
	}{
		{"empty", 0, 0, 0},
		{"one", 1, 1, 0},
		{"just full", remembered, remembered, 0},
		{"one over", remembered + 1, remembered, 1},
		{"once around", 2 * remembered, remembered, remembered},
		{"more than once around", 2*remembered + 7, remembered, remembered + 7},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var (
				r         ring[int]
				got, want []int
			)
			for i := range tc.added {
				r.add(i)
			}
			r.each(func(v *int) { got = append(got, *v) })
			for i := range tc.kept {
				want = append(want, tc.oldest+i)
			}
			if !slices.Equal(got, want) {
				t.Errorf("kept %d values from %v, want %d from %d", len(got), got[:min(1, len(got))], tc.kept, tc.oldest)
			}
		})
	}
}
