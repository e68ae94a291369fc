package chatkit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

var requestTests = []struct {
	name, body string
	want       chatkit.Request
}{
	{"nothing", ``, chatkit.Request{}},
	{"no object", `["type"]`, chatkit.Request{}},
	{"an array of objects", `[{"type":"threads.list"}]`, chatkit.Request{}},
	{"garbage", `}}]"type":"a"`, chatkit.Request{}},
	{"a type alone", `{"type":"threads.list"}`, chatkit.Request{Type: "threads.list"}},
	{"spaces", "\n{ \"type\" :\t\"threads.list\" , \"params\" : { } }", chatkit.Request{Type: "threads.list"}},
	{
		"a thread, params first", `{"params":{"input":{"thread_id":"no","type":"no"},"thread_id":"thr_1"},"type":"items.list"}`,
		chatkit.Request{Type: "items.list", Thread: "thr_1"},
	},
	{"a thread elsewhere", `{"type":"a","thread_id":"x","metadata":{"thread_id":"y"},"params":{"a":[{"thread_id":"z"}]}}`, chatkit.Request{Type: "a"}},
	{"params is an array", `{"type":"a","params":["thread_id","x"]}`, chatkit.Request{Type: "a"}},
	{"escapes", `{"ty\u0070e":"threads\u002elist","params":{"thread\u005fid":"thr\"\\_1"}}`, chatkit.Request{Type: "threads.list", Thread: `thr"\_1`}},
	{"other letters", `{"Type":"a","TYPE":"b","params":{"Thread_ID":"c"}}`, chatkit.Request{}},
	{"a value like a name", `{"x":"type","params":{"y":"thread_id"}}`, chatkit.Request{}},
	{"braces in strings", `{"x":"{\"type\":\"no\"}","type":"yes","params":{"y":"}}","thread_id":"t"}}`, chatkit.Request{Type: "yes", Thread: "t"}},
	{"not a string", `{"type":5,"params":{"thread_id":null}}`, chatkit.Request{}},
	{"an object for a type", `{"type":{"type":"no"}}`, chatkit.Request{}},
	{"a type twice", `{"type":"a","type":"b"}`, chatkit.Request{Type: "b", Unclear: true}},
	{"a thread twice", `{"type":"a","params":{"thread_id":"b","thread_id":null}}`, chatkit.Request{Type: "a", Unclear: true}},
	{"params twice", `{"params":{"thread_id":"b"},"params":{}}`, chatkit.Request{Unclear: true}},
	{"a long name", `{"` + strings.Repeat("type", 1000) + `":"x","type":"a"}`, chatkit.Request{Type: "a"}},
	{"a long thread", `{"type":"a","params":{"thread_id":"` + strings.Repeat("t", 1025) + `"}}`, chatkit.Request{Type: "a", Unclear: true}},
	{"a beginning", `{"type":"threads.create","params":{"input":{"content":[{"type":"inp`, chatkit.Request{Type: "threads.create"}},
}

func TestReadRequest(t *testing.T) {
	for _, tt := range requestTests {
		t.Run(tt.name, func(t *testing.T) {
			if got := chatkit.ReadRequest([]byte(tt.body)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			var s chatkit.Scanner
			if s.Request() != (chatkit.Request{}) {
				t.Error("something before the first byte")
			}
			for _, b := range []byte(tt.body) {
				_, _ = s.Write([]byte{b})
			}
			if got := s.Request(); got != tt.want {
				t.Errorf("byte by byte: got %+v", got)
			}
		})
	}
}

// A type is found behind 16 MiB, and nothing of them is kept.
func TestScannerKeepsNothing(t *testing.T) {
	var s chatkit.Scanner
	_, _ = s.Write([]byte(`{"params":{"audio_base64":"`))
	part := bytes.Repeat([]byte("A"), 1<<20)
	if n := testing.AllocsPerRun(16, func() { _, _ = s.Write(part) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	_, _ = s.Write([]byte(`"},"type":"input.transcribe"}`))
	if got := s.Request().Type; got != chatkit.InputTranscribe {
		t.Errorf("type %q", got)
	}
}

func TestOperations(t *testing.T) {
	for op, want := range map[chatkit.Operation][3]bool{ // known, streams, loads
		chatkit.ThreadsCreate:           {true, true, false},
		chatkit.ThreadsCustomAction:     {true, true, false},
		chatkit.ThreadsSyncCustomAction: {true, false, false},
		chatkit.ThreadsList:             {true, false, true},
		chatkit.ThreadsGetByID:          {true, false, true},
		"threads.nope":                  {},
		"":                              {},
	} {
		if got := [3]bool{op.Known(), op.Streams(), op.Loads()}; got != want {
			t.Errorf("%q: %v, want %v", op, got, want)
		}
	}
}

// Where encoding/json reads a request, and no two names differ by their case
// alone, both read the same.
func FuzzRequest(f *testing.F) {
	for _, tt := range requestTests {
		f.Add([]byte(tt.body), 3)
	}
	for _, x := range exchanges(f) {
		f.Add([]byte(x.request), 7)
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		var s chatkit.Scanner
		cut = max(0, min(cut, len(body)))
		_, _ = s.Write(body[:cut])
		_, _ = s.Write(body[cut:])
		got := s.Request()
		if got != chatkit.ReadRequest(body) {
			t.Error("it depends on the pieces")
		}
		var want map[string]any
		if json.Unmarshal(body, &want) != nil || got.Unclear {
			return
		}
		op, _ := want["type"].(string)
		params, _ := want["params"].(map[string]any)
		thread, _ := params["thread_id"].(string)
		if string(got.Type) != op && utf8Valid(op) || got.Thread != thread && utf8Valid(thread) {
			t.Errorf("got %+v, want %q and %q", got, op, thread)
		}
	})
}

// utf8Valid reports whether a string was valid before encoding/json mended it.
func utf8Valid(s string) bool { return !strings.ContainsRune(s, '\uFFFD') }
