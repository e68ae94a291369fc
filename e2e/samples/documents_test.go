package samples_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// document is one of the two, as it is expected to be.
type document struct {
	name  string // of the directories of testdata that belong to it
	file  string // a pattern
	heads []heading
}

// heading is one of a document, with what runs its sample: nil where it has none.
type heading struct {
	title string
	run   func(*samples)
}

// samples are those of a document, or our own in their place, and the test that
// runs one of them.
type samples struct {
	*testing.T
	code  map[string]string // by heading
	pages map[string]string // JavaScript, by the name of the frame
}

// seedsBeside is where the documents lie, seen from the root of the repository.
var seedsBeside = filepath.Join("..", "shared", "seeds")

// seeds is the directory of the documents, "" where there is none. One that is
// named has to be there.
func seeds() (string, error) {
	if dir := os.Getenv("CHATKIT_SEEDS"); dir != "" {
		_, err := os.Stat(dir)
		return dir, err
	}
	dir := filepath.Join(root, seedsBeside)
	if _, err := os.Stat(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return "", err
	}
	return dir, nil
}

// read is the text of the document. The test ends here where it is not to be
// had: nobody else has it, so that the gate, which takes a skipped test for a
// failure, is told by the first line of the package (TestMain) and not by a skip.
func (d document) read(t *testing.T) (text string, ok bool) {
	t.Helper()
	dir, err := seeds()
	if err != nil {
		t.Fatal(err)
	}
	if dir == "" {
		const absent = "the documents are not here (CHATKIT_SEEDS, or ../shared/seeds): their own samples are not run"
		if os.Getenv("CHATKIT_REQUIRE_TOOLS") != "1" {
			t.Skip(absent)
		}
		t.Log(absent)
		return "", false
	}
	files, err := filepath.Glob(filepath.Join(dir, d.file))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files are %s in %s, want one (%v)", len(files), d.file, dir, err)
	}
	return readFile(t, files[0]), true
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// section is a heading of a Markdown text and the blocks of code below it.
type section struct {
	title  string
	blocks []string
}

var headingLine = regexp.MustCompile(`^#{1,6} +(.+?) *$`)

// sections takes a Markdown text apart.
func sections(text string) (all []section) {
	var block *strings.Builder
	for line := range strings.Lines(text) {
		fence := strings.HasPrefix(line, "```")
		m := headingLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case fence && block == nil:
			block = new(strings.Builder)
		case fence:
			last := &all[len(all)-1]
			last.blocks = append(last.blocks, block.String())
			block = nil
		case block != nil:
			block.WriteString(line)
		case m != nil:
			all = append(all, section{title: m[1]})
		}
	}
	return all
}

func TestSections(t *testing.T) {
	got := sections("# A\n\ntext\n## B c\n```sh\n# no heading\nls\n```\n\n```ts\nlet x;\n```\n### D\n")
	want := []section{{"A", nil}, {"B c", []string{"# no heading\nls\n", "let x;\n"}}, {"D", nil}}
	if !slices.EqualFunc(got, want, func(a, b section) bool {
		return a.title == b.title && slices.Equal(a.blocks, b.blocks)
	}) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// samples are the blocks of the document by their headings, which have to be
// the expected ones: a sample that is new to us is not run by anything.
func (d document) samples(t *testing.T, text string) map[string]string {
	t.Helper()
	all := sections(text)
	titles, want := make([]string, 0, len(all)), make([]string, 0, len(d.heads))
	code := make(map[string]string)
	for _, s := range all {
		titles = append(titles, s.title)
		if len(s.blocks) > 1 {
			t.Errorf("%s has %d samples, want one at most", s.title, len(s.blocks))
		}
		if len(s.blocks) > 0 {
			code[s.title] = s.blocks[0]
		}
	}
	for _, h := range d.heads {
		want = append(want, h.title)
		if _, has := code[h.title]; has != (h.run != nil) {
			t.Errorf("%s: the document has a sample: %t; a test runs it: %t", h.title, has, h.run != nil)
		}
	}
	if !slices.Equal(titles, want) {
		t.Errorf("the headings are\n%q, want\n%q", titles, want)
	}
	if t.Failed() {
		t.FailNow()
	}
	return code
}

// programs are our own, by the headings whose samples they stand beside.
func (d document) programs(t *testing.T) map[string]string {
	t.Helper()
	code := make(map[string]string)
	for _, h := range d.heads {
		if h.run == nil {
			continue
		}
		files, err := filepath.Glob(filepath.Join("testdata", "programs", d.name, slug(h.title)+".*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %d programs, want one (%v)", h.title, len(files), err)
		}
		code[h.title] = readFile(t, files[0])
	}
	return code
}

// slug is a heading as the name of a file.
func slug(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }

// run runs our own programs, and the document's where it is here.
func (d document) run(t *testing.T) {
	t.Helper()
	t.Run("own", func(t *testing.T) { d.runSet(t, d.programs(t)) })
	t.Run("document", func(t *testing.T) {
		if text, ok := d.read(t); ok {
			d.runSet(t, d.samples(t, text))
		}
	})
}

func (d document) runSet(t *testing.T, code map[string]string) {
	t.Helper()
	pages := d.transpiled(t, code)
	for _, h := range d.heads {
		if h.run != nil {
			t.Run(h.title, func(t *testing.T) {
				t.Parallel()
				h.run(&samples{T: t, code: code, pages: pages})
			})
		}
	}
}

// part is the part of a sample below one of its comments.
func part(code, comment string) (string, bool) {
	var found strings.Builder
	inside, ok := false, false
	for line := range strings.Lines(code) {
		if rest, is := strings.CutPrefix(line, "// "); is {
			inside = strings.TrimSpace(rest) == comment
			ok = ok || inside
		} else if inside {
			found.WriteString(line)
		}
	}
	return strings.TrimSpace(found.String()), ok
}

// properties makes what a sample lists without its object fit into one: a line
// that is a property gets its comma, and the end of a statement goes.
func properties(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, ";"), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "'") {
			lines[i] = line + ","
		}
	}
	return strings.Join(lines, "\n")
}

var placeOfSample = regexp.MustCompile(`(?m)^ *// sample: (.+)$`)

// framed is a frame with the samples it names in their places, whole or, after
// a slash, the part of one.
func framed(t *testing.T, frame string, code map[string]string) string {
	t.Helper()
	return placeOfSample.ReplaceAllStringFunc(frame, func(line string) string {
		title, comment, parted := strings.Cut(placeOfSample.FindStringSubmatch(line)[1], " / ")
		text, ok := code[title]
		if ok && parted {
			text, ok = part(text, comment)
			text = properties(text)
		}
		if !ok {
			t.Fatalf("no sample is%s", line)
		}
		return text
	})
}
