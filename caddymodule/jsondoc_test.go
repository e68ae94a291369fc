package caddymodule_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// jsonDoc is the page that is generated from the comments of the configuration.
const jsonDoc = "../docs/reference/json.md"

// jsonModules are the modules of the page: the folders of their packages and the
// types, the handler first.
var jsonModules = []struct{ dir, name string }{
	{".", "Handler"},
	{"providers/backend", "Backend"},
	{"providers/openai", "OpenAI"},
	{"providers/sendbird", "Sendbird"},
	{"standins/say", "Say"},
	{"standins/openaichat", "OpenAIChat"},
	{"standins/openairesponses", "OpenAIResponses"},
	{"webhook", "Webhook"},
}

// structs are the struct types of a package, by name, with their comments.
type structs map[string]*structType

type structType struct {
	doc    string
	fields []*ast.Field
}

// readStructs reads the package in a folder, and the ids of its modules.
func readStructs(t *testing.T, dir string) (all structs, ids []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %q, %v", dir, files, err)
	}
	all = make(structs)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				all.add(n)
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "ID" {
					if id, ok := n.Value.(*ast.BasicLit); ok {
						ids = append(ids, strings.Trim(id.Value, `"`))
					}
				}
			}
			return true
		})
	}
	return all, ids
}

// add keeps the struct types of a declaration.
func (all structs) add(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		named, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		if s, ok := named.Type.(*ast.StructType); ok {
			doc := decl.Doc.Text()
			if named.Doc != nil {
				doc = named.Doc.Text()
			}
			all[named.Name.Name] = &structType{doc, s.Fields.List}
		}
	}
}

// jsonPage writes the page.
type jsonPage struct {
	t    *testing.T
	b    strings.Builder
	all  structs  // of the package at hand
	todo []string // types that the fields so far have named
	seen []string
}

// section writes a type with its fields.
func (p *jsonPage) section(title, name string) {
	p.t.Helper()
	s := p.all[name]
	if s == nil {
		p.t.Fatalf("there is no struct %s", name)
	}
	p.seen = append(p.seen, name)
	fmt.Fprintf(&p.b, "## %s\n\n%s\n\n| field | type | description |\n|---|---|---|\n", title, intro(name, s.doc))
	p.fields(s)
	p.b.WriteString("\n")
}

// intro returns a type's comment for the page, where nobody knows the type's name.
func intro(name, doc string) string {
	doc = plainLinks.ReplaceAllString(strings.TrimSpace(doc), "$1")
	doc = strings.TrimPrefix(strings.TrimPrefix(doc, name+" "), "is ")
	return strings.ToUpper(doc[:1]) + doc[1:]
}

// plainLinks are links of Go's comments, which lead nowhere here.
var plainLinks = regexp.MustCompile(`\[([A-Z]\w*)\]`)

// fields writes the rows of a type, and of those it embeds.
func (p *jsonPage) fields(s *structType) {
	p.t.Helper()
	for _, f := range s.fields {
		if len(f.Names) == 0 {
			p.embedded(f.Type)
			continue
		}
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			p.t.Fatal(err)
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
		if doc == "" {
			p.t.Errorf("%s has no comment", name)
		}
		fmt.Fprintf(&p.b, "| `%s` | %s | %s |\n", name, p.typeName(f.Type), strings.ReplaceAll(plainLinks.ReplaceAllString(doc, "$1"), "|", `\|`))
	}
}

// embedded writes the rows of an embedded type.
func (p *jsonPage) embedded(typ ast.Expr) {
	p.t.Helper()
	switch typ := typ.(type) {
	case *ast.Ident:
		p.fields(p.all[typ.Name])
	case *ast.SelectorExpr:
		pkg, ok := typ.X.(*ast.Ident)
		if !ok {
			return
		}
		if _, err := os.Stat(pkg.Name); err != nil {
			return // not of this product
		}
		other, _ := readStructs(p.t, pkg.Name)
		(&jsonPage{t: p.t}).into(&p.b, other, other[typ.Sel.Name])
	}
}

// into writes the rows of a type of another package.
func (p *jsonPage) into(b *strings.Builder, all structs, s *structType) {
	p.all = all
	p.fields(s)
	b.WriteString(p.b.String())
}

// readAlong reads the package that a type is from, where it is one of the folders here.
func (p *jsonPage) readAlong(typ *ast.SelectorExpr) {
	p.t.Helper()
	pkg, ok := typ.X.(*ast.Ident)
	if !ok || p.all[typ.Sel.Name] != nil {
		return
	}
	if _, err := os.Stat(pkg.Name); err == nil {
		other, _ := readStructs(p.t, pkg.Name)
		maps.Copy(p.all, other)
	}
}

// basic are the words for types of Go.
var basic = map[string]string{
	"string": "string", "bool": "true or false", "int": "number", "int64": "number", "float64": "number",
	"Duration": "duration", "RawMessage": "module", "Secret": "string",
}

// typeName returns the word for a type, with a link where it has a section.
func (p *jsonPage) typeName(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.StarExpr:
		return p.typeName(typ.X)
	case *ast.ArrayType:
		return strings.Replace("list of "+p.typeName(typ.Elt), "list of string", "list of strings", 1)
	case *ast.MapType:
		return strings.Replace("object of "+p.typeName(typ.Value), "object of string", "object of strings", 1)
	case *ast.SelectorExpr:
		p.readAlong(typ)
		return p.typeName(typ.Sel)
	case *ast.Ident:
		if p.all[typ.Name] != nil {
			if !slices.Contains(p.todo, typ.Name) {
				p.todo = append(p.todo, typ.Name)
			}
			title := typeTitle(typ.Name)
			return fmt.Sprintf("[%s](#%s)", title, strings.ReplaceAll(title, " ", "-"))
		}
		if word := basic[typ.Name]; word != "" {
			return word
		}
	}
	return "string" // a named one, such as a kind of route
}

var hump = regexp.MustCompile(`([a-z])([A-Z])`)

// typeTitle returns the heading of a type: "rate limit" for RateLimitConfig.
func typeTitle(name string) string {
	return strings.ToLower(hump.ReplaceAllString(strings.TrimSuffix(name, "Config"), "$1 $2"))
}

const jsonHead = `# JSON

All fields of the JSON configuration. The Caddyfile options of the same names set them; ` + "`caddy adapt`" + ` shows the JSON of a
Caddyfile.

Generated from the code by ` + "`go test ./caddymodule -run TestJSONDoc -update`" + `; a test holds it against the code.

A duration is a string such as ` + "`500ms`, `3s` or `1m`" + `, or a number of nanoseconds. A field that is left out has its default.
Placeholders such as ` + "`{env.X}`" + ` are replaced when the configuration is loaded.

`

// docs/reference/json.md says of every field what the code says.
func TestJSONDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString(jsonHead)
	for _, m := range jsonModules {
		all, ids := readStructs(t, m.dir)
		if len(ids) != 1 {
			t.Fatalf("%s has modules %q, want one", m.dir, ids)
		}
		p := &jsonPage{t: t, all: all}
		p.section("`"+ids[0]+"`", m.name)
		for len(p.todo) > 0 {
			next := p.todo[0]
			p.todo = p.todo[1:]
			if !slices.Contains(p.seen, next) {
				p.section(typeTitle(next), next)
			}
		}
		b.WriteString(p.b.String())
	}
	got := strings.TrimSpace(b.String()) + "\n"
	if *update {
		if err := os.WriteFile(jsonDoc, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(jsonDoc)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the code says; run this test with -update", jsonDoc)
	}
}
