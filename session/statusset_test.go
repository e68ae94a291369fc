package session_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

func TestParseStatusSet(t *testing.T) {
	cases := []struct {
		name    string
		words   []string
		in, out []int
	}{
		{"class 4xx", []string{"4xx"}, []int{400, 450, 499}, []int{399, 500, 599}},
		{"class 5xx", []string{"5xx"}, []int{500, 599}, []int{499, 600}},
		{"one", []string{"503"}, []int{503}, []int{502, 504, 400, 599}},
		{"bounds", []string{"400", "599"}, []int{400, 599}, []int{399, 401, 598, 600}},
		{"mixed and doubled", []string{"4xx", "404", "503", "503"}, []int{400, 404, 499, 503}, []int{500, 502}},
		{"none", nil, nil, []int{400, 500, 599}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, err := session.ParseStatusSet(c.words)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range c.in {
				if !set.Has(code) {
					t.Errorf("%d is not in the set", code)
				}
			}
			for _, code := range append(c.out, -1, 0, 200, 1000) {
				if set.Has(code) {
					t.Errorf("%d is in the set", code)
				}
			}
		})
	}
}

func TestParseStatusSetRefuses(t *testing.T) {
	for _, bad := range []string{"", "200", "399", "600", "3xx", "6xx", "4XX", "4x", "x", "50 3", "-503", "99999999999999999999", "503.0"} {
		t.Run(bad, func(t *testing.T) {
			set, err := session.ParseStatusSet([]string{"4xx", bad, "worse"})
			if err == nil {
				t.Fatalf("got %v, want an error", set)
			}
			if !strings.Contains(err.Error(), `"`+bad+`"`) {
				t.Errorf("error does not name the word: %v", err)
			}
		})
	}
}

func FuzzParseStatusSet(f *testing.F) {
	for _, seed := range []string{"4xx 5xx", "403", "400 599", "600", "", "+503", "0503", "4xx\x00", "٤٠٠"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Fields(line)
		set, err := session.ParseStatusSet(words)
		if (set == nil) != (err != nil) {
			t.Fatalf("got set %v and error %v", set, err)
		}
		if err != nil {
			return
		}
		held := 0
		for code := range 1000 {
			if set.Has(code) {
				held++
				if code < 400 || code > 599 {
					t.Errorf("%d is in the set", code)
				}
			}
		}
		if (held == 0) != (len(words) == 0) {
			t.Errorf("%q gives %d statuses", words, held)
		}
	})
}
