package registry

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The page of the admin API explains every field that the API answers with.
func TestAdminDoc(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]bool)
	collectFields(reflect.TypeFor[Overview](), fields)
	if len(fields) < 40 {
		t.Fatalf("only %d fields: %v", len(fields), fields)
	}
	for name := range fields {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("field %s is not in docs/reference/admin-api.md", name)
		}
	}
}

// collectFields adds the names of a type's JSON fields, and of theirs.
func collectFields(of reflect.Type, fields map[string]bool) {
	switch of.Kind() { //nolint:exhaustive // others have no fields
	case reflect.Pointer, reflect.Slice, reflect.Array:
		collectFields(of.Elem(), fields)
	case reflect.Struct:
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && name != "-" {
				fields[name] = true
			}
			if name != "" || field.Anonymous {
				collectFields(field.Type, fields)
			}
		}
	}
}
