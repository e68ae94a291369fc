package chatkit_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// read reads a stream to its end: the chunks, the frames that were seen, and what
// is left.
func read(src io.Reader) (chunks, frames []string, rest string, err error) {
	r := chatkit.NewReader(src, func(f []byte) { frames = append(frames, string(f)) })
	for {
		chunk, err := r.Next()
		if err != nil {
			return chunks, frames, string(r.Rest()), err
		}
		chunks = append(chunks, string(chunk))
	}
}

var streamTests = []struct {
	name, stream string
	frames       []string
	rest         string
}{
	{"nothing", "", nil, ""},
	{"one", "data: a\n\n", []string{"data: a\n\n"}, ""},
	{"two", "data: a\n\ndata: b\n\n", []string{"data: a\n\n", "data: b\n\n"}, ""},
	{"cut", "data: a\n\ndata: b\n", []string{"data: a\n\n"}, "data: b\n"},
	{"only begun", "dat", nil, "dat"},
	{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"data: a\r\n\r", "data: b\r\n\r"}, ""},
	{"CR", "data: a\r\rdata: b\r\r", []string{"data: a\r\r", "data: b\r\r"}, ""},
	{"mixed", "data: a\r\n\ndata: b\n\rdata: c\r\r\ndata: d\n\r\n", []string{"data: a\r\n\n", "data: b\n\r", "data: c\r\r", "data: d\n\r"}, ""},
	{"comment", ": ping\n\ndata: a\n\n", []string{": ping\n\n", "data: a\n\n"}, ""},
	{"other fields", "event: x\nid: 7\nretry: 1\ndata: a\n\n", []string{"event: x\nid: 7\nretry: 1\ndata: a\n\n"}, ""},
	{"lines of data", "data: a\ndata: b\n\n", []string{"data: a\ndata: b\n\n"}, ""},
	{"more blank lines", "\n\ndata: a\n\n\n", []string{"\n", "\n", "data: a\n\n", "\n"}, ""},
}

func TestReader(t *testing.T) {
	for _, tt := range streamTests {
		t.Run(tt.name, func(t *testing.T) {
			for name, src := range map[string]io.Reader{
				"at once":      strings.NewReader(tt.stream),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.stream)),
				"with its end": iotest.DataErrReader(strings.NewReader(tt.stream)),
			} {
				chunks, frames, rest, err := read(src)
				if got := strings.Join(chunks, "") + rest; got != tt.stream {
					t.Errorf("%s: %q became %q", name, tt.stream, got)
				}
				if !slices.Equal(frames, tt.frames) || rest != tt.rest || !errors.Is(err, io.EOF) {
					t.Errorf("%s: saw %q, %q is left, %v", name, frames, rest, err)
				}
			}
		})
	}
}

// A frame is returned as soon as it is complete, and with it those that came at the
// same time.
func TestReaderDoesNotWait(t *testing.T) {
	pr, pw := io.Pipe()
	r := chatkit.NewReader(pr, nil)
	for _, send := range []string{"data: a\n\n", "data: b\r\r", "data: c\n\ndata: d\n\n"} {
		go func() { _, _ = pw.Write([]byte(send)) }()
		if got, err := r.Next(); string(got) != send || err != nil {
			t.Errorf("got %q, %v of %q", got, err, send)
		}
	}
	go func() { _, _ = pw.Write([]byte("data: e\n\ndata: f")); _ = pw.CloseWithError(errors.New("reset")) }()
	if got, err := r.Next(); string(got) != "data: e\n\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := r.Next(); err == nil || err.Error() != "reset" || string(r.Rest()) != "data: f" {
		t.Errorf("got %v and %q", err, r.Rest())
	}
}

// A stream that gives neither bytes nor an error is broken.
func TestReaderWithoutProgress(t *testing.T) {
	_, _, rest, err := read(io.MultiReader(strings.NewReader("data: a"), stuck{}))
	if rest != "data: a" || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%q is left, %v", rest, err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// A frame of up to 1 MiB is whole. A longer one passes in pieces, without being
// kept, and its beginning is seen; what follows is whole again.
func TestLongFrames(t *testing.T) {
	long := `data: {"type":"thread.item.done","item":{"id":"m","x":"` + strings.Repeat("x", 5<<20) + "\"}}\n\n"
	whole := "data: " + strings.Repeat("y", chatkit.MaxFrame-8) + "\n\n"
	const last = "data: z\n\n"
	var frames []string
	r := chatkit.NewReader(strings.NewReader(long+whole+last), func(f []byte) { frames = append(frames, string(f)) })
	var got bytes.Buffer
	within := 0
	for {
		chunk, err := r.Next()
		if err != nil {
			break
		}
		got.Write(chunk)
		if r.Within() {
			within++
		}
		if len(chunk) > chatkit.MaxFrame+64<<10 {
			t.Errorf("%d bytes at once", len(chunk))
		}
	}
	if got.String() != long+whole+last {
		t.Error("the stream was changed")
	}
	if within == 0 || len(frames) != 3 || !strings.HasPrefix(long, frames[0]) || frames[1] != whole || frames[2] != last {
		t.Errorf("%d frames seen, %d pieces", len(frames), within)
	}
	if p := follow(t, `data: {"type":"thread.item.added","item":{"id":"m"}}`+"\n\n"+long); p.Unfinished() {
		t.Error("an item that is too long to keep counts as not done")
	}
}

// The memory of a long frame is given back.
func TestReaderShrinks(t *testing.T) {
	src := &asked{r: strings.NewReader("data: " + strings.Repeat("x", 1<<20-8) + "\n\n" + strings.Repeat("data: y\n\n", 1000))}
	if _, _, rest, err := read(src); rest != "" || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes are left, %v", len(rest), err)
	}
	if src.most < 256<<10 || src.last > 32<<10 {
		t.Errorf("at most %d bytes were asked for, %d at the end", src.most, src.last)
	}
}

// asked notes how much is read at once.
type asked struct {
	r          io.Reader
	most, last int
}

func (a *asked) Read(p []byte) (int, error) {
	a.most, a.last = max(a.most, len(p)), len(p)
	return a.r.Read(p)
}

// What goes in comes out, whatever it is and in whatever pieces it comes, and no
// frame is split.
func FuzzFrames(f *testing.F) {
	for _, tt := range streamTests {
		f.Add([]byte(tt.stream), 1)
	}
	for _, x := range exchanges(f) {
		f.Add([]byte(x.stream), 100)
	}
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		var p chatkit.Progress
		var out, seen []byte
		r := chatkit.NewReader(&pieces{stream, max(1, size)}, func(frame []byte) {
			seen = append(seen, frame...)
			p.See(frame)
		})
		for {
			chunk, err := r.Next()
			if err != nil {
				break
			}
			out = append(out, chunk...)
			if end := out[len(out)-1]; end != '\n' && end != '\r' {
				t.Fatalf("%q ends within a frame", out)
			}
		}
		if got := append(out, r.Rest()...); !bytes.Equal(got, stream) {
			t.Errorf("%q became %q", stream, got)
		}
		whole := stream[:len(stream)-len(r.Rest())]
		if breaks := []byte("\r"); !bytes.Contains(stream, breaks) && !bytes.Equal(seen, whole) {
			t.Errorf("saw %q of %q", seen, whole)
		}
		chatkit.Whole(r.Rest())
	})
}

// pieces is a stream that comes in pieces of one size.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// The frames of a turn cost no allocation.
func TestReaderDoesNotAllocate(t *testing.T) {
	const frame = `data: {"type":"thread.item.updated","item_id":"msg_a","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Hello"}}` + "\n\n"
	var p chatkit.Progress
	p.See([]byte(`data: {"type":"thread.item.added","item":{"id":"msg_a"}}` + "\n\n"))
	r := chatkit.NewReader(&pieces{[]byte(strings.Repeat(frame, 10_000)), len(frame)}, p.See)
	if n := testing.AllocsPerRun(1000, func() { _, _ = r.Next() }); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}
