package control

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"open", "close", "auto", "backend"}
	for written, want := range map[string]string{
		"opne": "open", "opn": "open", "clsoe": "close", "Open": "open", "atuo": "auto", "backned": "backend", "bakend": "backend",
		"explode": "", "": "", "x": "", "open": "",
	} {
		if got := nearest(written, words); got != want {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
}
