package modelapi_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// A stream ends in the same way however its bytes come, and never in a panic. Where it
// has not said so it is not complete.
func fuzz(f *testing.F, read reader, proof string, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
		f.Add([]byte(strings.ReplaceAll(s, "\n", "\r\n")))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, parts := new(page), new(page)
		err := read.answers(eventStream, bytes.NewReader(stream), whole)
		again := read.answers(eventStream, iotest.OneByteReader(bytes.NewReader(stream)), parts)
		if (err == nil) != (again == nil) || !slices.Equal(whole.parts, parts.parts) {
			t.Errorf("at once %q and %v, byte by byte %q and %v", whole.parts, err, parts.parts, again)
		}
		if err == nil && !bytes.Contains(stream, []byte(proof)) && !bytes.Contains(stream, []byte(`\u`)) &&
			!bytes.Contains(bytes.ToLower(stream), []byte(proof)) {
			t.Errorf("complete without %s: %q", proof, stream)
		}
		if slices.Contains(whole.parts, "") {
			t.Errorf("an empty text in %q", whole.parts)
		}
	})
}

func FuzzChat(f *testing.F) {
	fuzz(f, chat, "finish_reason", events(role, thinks, hello, world, stop, usage, end0), events(hello, finish("length")),
		events(hello, `{"error":{"code":503}}`), events(`{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}`), ": c\n\ufeffdata\n\ndata:x")
}

func FuzzResponses(f *testing.F) {
	fuzz(f, resp, "response.completed", events(created, item, said, more, saidAll, completed), events(other, incomplete("content_filter")),
		events(failed("server_error")), events(`{"type":"error","code":"x"}`))
}
