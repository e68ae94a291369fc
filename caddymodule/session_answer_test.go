package caddymodule

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Fields of a provider's own stand beside the documented ones and never take
// the place of one.
func TestWithExtra(t *testing.T) {
	const answer = `{"client_secret":"s","provider":"p"}`
	for name, tt := range map[string]struct {
		extra map[string]session.Secret
		want  string
	}{
		"none":          {nil, answer},
		"one":           {map[string]session.Secret{"token": "t"}, `{"client_secret":"s","provider":"p","token":"t"}`},
		"two":           {map[string]session.Secret{"token": "t", "user_id": "u"}, `{"client_secret":"s","provider":"p","token":"t","user_id":"u"}`},
		"odd values":    {map[string]session.Secret{`a"b`: "\"\\\n\u2028<ü>"}, `{"client_secret":"s","provider":"p","a\"b":"\"\\\n\u2028<ü>"}`},
		"a documented":  {map[string]session.Secret{"provider": "evil", "token": "t"}, `{"client_secret":"s","provider":"p","token":"t"}`},
		"all documents": {map[string]session.Secret{"client_secret": "x", "expires_at": "x", "model": "x", "metadata": "x", "provider": "x"}, answer},
	} {
		t.Run(name, func(t *testing.T) {
			before := fmt.Sprint(maps.Clone(tt.extra))
			raw, err := withExtra([]byte(answer), tt.extra)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) || fmt.Sprint(tt.extra) != before {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// What is documented is what the answer's type has.
func TestDocumentedFields(t *testing.T) {
	typ := reflect.TypeFor[sessionAnswer]()
	if typ.NumField() != len(reservedFields) {
		t.Errorf("%d fields, %d are listed", typ.NumField(), len(reservedFields))
	}
	for i, name := range reservedFields {
		if tag := typ.Field(i).Tag.Get("json"); tag != name && tag != name+",omitempty" {
			t.Errorf("field %d is %s, listed is %s", i, tag, name)
		}
	}
}
