package ijson_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/caddy-chatkit/caddy-chatkit/internal/ijson"
)

// nested is a text of n levels.
func nested(n int) string { return strings.Repeat(`{"a":`, n-1) + "[]" + strings.Repeat("}", n-1) }

func TestCheck(t *testing.T) {
	cases := []struct {
		name, text string
		want       error
	}{
		{"empty object", `{}`, nil},
		{"all kinds", ` {"a":[1,-2.5e3,"x",true,false,null,{}],"b":{}} `, nil},
		{"scalar", `5`, nil},
		{"emoji in two escapes", `"\ud83d\ude00"`, nil},
		{"emoji in capitals", `"\uD83D\uDE00"`, nil},
		{"escaped backslash before what looks like an escape", `"\\ud800\\u0000"`, nil},
		{"replacement character", `"\ufffd"`, nil},
		{"noncharacter", `"\uffff"`, nil},
		{"largest number", `1.7976931348623157e308`, nil},
		{"too small a number is 0", `1e-999`, nil},
		{"integer above 2^53", `12345678901234567890`, nil},
		{"32 levels", nested(32), nil},
		{"32 levels of lists", strings.Repeat("[", 32) + strings.Repeat("]", 32), nil},
		{"many levels one after another", "[" + strings.Repeat("[[]],", 100) + "0]", nil},
		{"brackets in a string", `"` + strings.Repeat("[{", 40) + `"`, nil},
		{"same name in another object", `{"a":{"a":1},"b":[{"a":1},{"a":1}]}`, nil},
		{"same text as name and value", `{"a":"a","b":"a"}`, nil},
		{"names that differ in case", `{"a":1,"A":1}`, nil},

		{"empty", ``, ijson.ErrSyntax},
		{"not closed", `{"a":1`, ijson.ErrSyntax},
		{"two", `{}{}`, ijson.ErrSyntax},
		{"byte order mark", "\ufeff{}", ijson.ErrSyntax},
		{"invalid UTF-8", "\"a\xff\"", ijson.ErrSyntax},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", ijson.ErrSyntax},
		{"NUL as it is", "\"\x00\"", ijson.ErrSyntax},
		{"unknown escape", `"\x"`, ijson.ErrSyntax},
		{"33 levels", nested(33), ijson.ErrDepth},
		{"5,000 levels", nested(5000), ijson.ErrDepth},
		{"20,000 levels", nested(20000), ijson.ErrSyntax}, // more than encoding/json reads
		{"high surrogate", `{"x":"\ud800"}`, ijson.ErrSurrogate},
		{"low surrogate", `"\udc00"`, ijson.ErrSurrogate},
		{"wrong order", `"\ude00\ud83d"`, ijson.ErrSurrogate},
		{"two high ones", `"\ud83d\ud83d\ude00"`, ijson.ErrSurrogate},
		{"a letter in between", `"\ud83dx\ude00"`, ijson.ErrSurrogate},
		{"surrogate in a name", `{"\uD800":1}`, ijson.ErrSurrogate},
		{"surrogate in a list", `[[["\udfff"]]]`, ijson.ErrSurrogate},
		{"NUL", `"a\u0000"`, ijson.ErrNUL},
		{"NUL in a name", `{"\u0000":1}`, ijson.ErrNUL},
		{"NUL after an escaped backslash", `"\\\u0000"`, ijson.ErrNUL},
		{"too large", `[1e999]`, ijson.ErrNumber},
		{"too far below 0", `{"x":-1e309}`, ijson.ErrNumber},
		{"400 digits", strings.Repeat("9", 400), ijson.ErrNumber},
		{"name twice", `{"a":1,"b":2,"a":3}`, ijson.ErrTwice},
		{"name twice, deep", `[{"x":{"a":1 , "a" : 3}}]`, ijson.ErrTwice},
		{"name twice, one escaped", `{"a":1,"\u0061":3}`, ijson.ErrTwice},
		{"name twice around an object", `{"a":{"b":1},"a":3}`, ijson.ErrTwice},
		{"empty name twice", `{"":1,"":1}`, ijson.ErrTwice},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := ijson.Check([]byte(c.text)); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// Whatever a text of the largest size is made of, it takes about the same time.
func TestCheckTakesLinearTime(t *testing.T) {
	const size = 1 << 20
	for name, text := range map[string]string{
		"white space before colons": `{"a"` + strings.Repeat(" ", size) + `:1}`,
		"short strings and spaces":  "[" + strings.Repeat(`""     ,`, size/8) + "0]",
		"digits":                    strings.Repeat("1", size),
		"escapes":                   `"` + strings.Repeat(`\u0061`, size/6) + `"`,
		"brackets":                  "[" + strings.Repeat("[],", size/3) + "0]",
		"quote":                     `"` + strings.Repeat(`\"`, size/2) + `"`,
	} {
		begin := time.Now()
		_ = ijson.Check([]byte(text))
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}

var (
	backslashes = regexp.MustCompile(`\\\\`)
	pairs       = regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..`)
	lone        = regexp.MustCompile(`\\u[dD][89a-fA-F]`)
)

// naive checks a text with the decoder and regular expressions.
func naive(text []byte) bool {
	plain := pairs.ReplaceAll(backslashes.ReplaceAll(text, []byte("__")), nil)
	if !utf8.Valid(text) || !json.Valid(text) || lone.Match(plain) || strings.Contains(string(plain), `\u0000`) {
		return false
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return naiveValue(d, 0)
}

func naiveValue(d *json.Decoder, depth int) bool {
	token, err := d.Token()
	if errors.Is(err, io.EOF) {
		return false
	}
	if n, ok := token.(json.Number); ok {
		f, _ := n.Float64()
		return !math.IsInf(f, 0)
	}
	open, ok := token.(json.Delim)
	if !ok {
		return true
	}
	if depth == 32 {
		return false
	}
	names := make(map[string]bool)
	for d.More() {
		if open == '{' {
			token, _ := d.Token()
			name, _ := token.(string)
			if names[name] {
				return false
			}
			names[name] = true
		}
		if !naiveValue(d, depth+1) {
			return false
		}
	}
	_, _ = d.Token()
	return true
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,"x",true,null,{}],"b":{}}`, `"\ud83d\ude00"`, `"\ud800"`, `"\\ud800"`, `"\\\ud800"`, `{"a":1,"\u0061":2}`, "\"\xff\"",
		nested(32), nested(33), `[1e308,1e309]`, `{"":{"":{}}}`, "", "{", ` {"x" : "y:z", "y" : "\"" } `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := ijson.Check(text); (err == nil) != naive(text) {
			t.Errorf("%q: got %v", text, err)
		}
	})
}
