package ijson_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ijson"
)

func TestMembers(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`{}`, nil},
		{" {\n} ", nil},
		{`{"a":1}`, []string{`a=1`}},
		{` { "a" : -1.5e3 , "b":true,"c" :null } `, []string{`a=-1.5e3`, `b=true`, `c=null`}},
		{`{"a":"x,}","":"\\"}`, []string{`a="x,}"`, `="\\"`}},
		{`{"a":{"b":["]",{}]},"c":[[1 , 2],"\"["]}`, []string{`a={"b":["]",{}]}`, `c=[[1 , 2],"\"["]`}},
		{`{"a\u0062\n":1}`, []string{"ab\n=1"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			if err := ijson.Check([]byte(c.text)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for name, value := range ijson.Members([]byte(c.text)) {
				got = append(got, string(name)+"="+string(value))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for range ijson.Members([]byte(c.text)) {
				break // no panic
			}
		})
	}
}

func TestNameIs(t *testing.T) {
	for name, want := range map[string]bool{"token": true, "TOKEN": true, "to\u212aen": true, "tokens": false, "": false} {
		if ijson.Name(name).Is("token") != want {
			t.Errorf("%q is token: %t", name, !want)
		}
	}
}

func TestString(t *testing.T) {
	for text, want := range map[string]string{`"x"`: "x", `""`: "", `"\u00fc\n\""`: "ü\n\""} {
		if got, ok := ijson.String([]byte(text)); !ok || got != want {
			t.Errorf("%s is %q, %t", text, got, ok)
		}
	}
	for _, text := range []string{"1", "null", "{}", `["x"]`} {
		if _, ok := ijson.String([]byte(text)); ok {
			t.Errorf("%s is a string", text)
		}
	}
}

// Names are found twice also where an object has so many that they are indexed, and in
// the objects around it.
func TestManyNames(t *testing.T) {
	for n := range 40 {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"n%d":{"n%d":%d},`, i, i, i)
		}
		if err := ijson.Check([]byte("{" + b.String() + `"x":{` + b.String() + `"x":1}}`)); err != nil {
			t.Errorf("%d names: %v", n, err)
		}
		for i := range n {
			for _, twice := range []string{`"n%d":1}`, `"x":{"y":1},"n%d":1}`} {
				if err := ijson.Check(fmt.Appendf([]byte("{"+b.String()), twice, i)); err != ijson.ErrTwice { //nolint:errorlint // not wrapped
					t.Errorf("%d names, n%d twice: %v", n, i, err)
				}
			}
		}
	}
}

// What Members finds is what encoding/json reads.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":{"c":[1,"}"]}}`, `{"\u0061" : "\\" }`, `{"a":[{"a":1}],"b":""}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := make(map[string]json.RawMessage)
		if ijson.Check(text) != nil || json.Unmarshal(text, &want) != nil || string(text) == "null" {
			return
		}
		n := 0
		for name, value := range ijson.Members(text) {
			if n++; string(want[string(name)]) != string(value) {
				t.Errorf("%q is %s, want %s", name, value, want[string(name)])
			}
		}
		if n != len(want) {
			t.Errorf("got %d members, want %d", n, len(want))
		}
	})
}
