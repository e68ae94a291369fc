package chatkit_test

import (
	"os"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// exchange is what OpenAI's own server made of a request.
type exchange struct {
	request string
	kind    string // stream, json or exception
	stream  string
}

// exchanges reads testdata/exchanges.txt.
func exchanges(tb testing.TB) (all []exchange) {
	tb.Helper()
	text, err := os.ReadFile("testdata/exchanges.txt")
	if err != nil {
		tb.Fatal(err)
	}
	for part := range strings.SplitSeq("\n"+string(text), "\n> ") {
		request, answer, _ := strings.Cut(part, "\n= ")
		kind, stream, _ := strings.Cut(answer, "\n")
		if kind = strings.TrimSpace(kind); kind != "" {
			all = append(all, exchange{request, kind, strings.TrimRight(stream, "\n") + "\n\n"})
		}
	}
	if len(all) != 17 {
		tb.Fatalf("%d exchanges", len(all))
	}
	return all
}

// follow reads a stream and returns what it says.
func follow(tb testing.TB, stream string) *chatkit.Progress {
	tb.Helper()
	var p chatkit.Progress
	r := chatkit.NewReader(strings.NewReader(stream), p.See)
	var out strings.Builder
	for {
		chunk, err := r.Next()
		if err != nil {
			break
		}
		out.Write(chunk)
	}
	out.Write(r.Rest())
	if out.String() != stream {
		tb.Fatalf("got %q\nof %q", out.String(), stream)
	}
	return &p
}

// What OpenAI's server streams is understood: its requests are turns, its streams
// end well but for what it calls an error itself.
func TestExchanges(t *testing.T) {
	for _, x := range exchanges(t) {
		req := chatkit.ReadRequest([]byte(x.request))
		if req.Unclear || req.Type == "" {
			t.Errorf("%s: read as %+v", x.request, req)
		}
		if x.kind == "stream" != req.Type.Streams() && x.kind != "exception" {
			t.Errorf("%s is %s, its answer is a %s", x.request, req.Type, x.kind)
		}
		if x.kind != "stream" {
			continue
		}
		p := follow(t, x.stream)
		fails := strings.Contains(x.stream, `"type":"error"`)
		if !p.Started() || !p.Content() || p.Unfinished() || p.Failed() != fails {
			t.Errorf("%s: started %t, content %t, unfinished %t, failed %t",
				x.request, p.Started(), p.Content(), p.Unfinished(), p.Failed())
		}
		if created := req.Type == chatkit.ThreadsCreate; created != (p.Thread() == "thr_7e012438") {
			t.Errorf("%s: created %q", x.request, p.Thread())
		}
		if named := req.Type != chatkit.ThreadsCreate; named != (req.Thread == "thr_7e012438") {
			t.Errorf("%s: names %q", x.request, req.Thread)
		}
	}
}
