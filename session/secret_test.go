package session_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

const planted = "ek_planted_marker"

// shows tells whether text gives the planted secret away, in the clear or in
// the hex that %x would make of it.
func shows(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, planted) || strings.Contains(text, hex.EncodeToString([]byte(planted)))
}

// holder is a struct as code that logs would have it.
type holder struct {
	Key  session.Secret
	Ptr  *session.Secret
	List []session.Secret
	Map  map[string]session.Secret
	Any  any
}

func holding(s session.Secret) holder {
	return holder{
		Key: s, Ptr: &s, List: []session.Secret{s}, Any: s,
		Map: map[string]session.Secret{"k": s},
	}
}

func TestSecretNeverPrinted(t *testing.T) {
	s := session.Secret(planted)
	sess := session.Session{Secret: s}
	values := map[string]any{
		"value": s, "pointer": &s, "list": []session.Secret{s}, "struct": holding(s),
		"session": sess, "pointer to session": &sess, "request": session.Request{Current: s},
		"map": map[string]session.Secret{"k": s}, "keys": map[session.Secret]int{s: 1}, "any": []any{s},
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%x", "%X", "% x", "%#x", "%d", "%c", "%U", "%10s", "%.3s", "%-40v|", "%t", "%e", "%08b"}
	for name, v := range values {
		for _, verb := range verbs {
			t.Run(name+" "+verb, func(t *testing.T) {
				if out := fmt.Sprintf(verb, v); shows(out) {
					t.Errorf("shown: %s", out)
				}
			})
		}
		t.Run(name+" Sprint", func(t *testing.T) {
			if out := fmt.Sprint(v) + fmt.Sprintln("x", v); shows(out) {
				t.Errorf("shown: %s", out)
			}
		})
	}
}

func TestSecretNeverMarshaled(t *testing.T) {
	h := holding(planted)
	out, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if shows(string(out)) {
		t.Errorf("shown in JSON: %s", out)
	}
	if n := bytes.Count(out, []byte("[redacted]")); n != 5 {
		t.Errorf("redacted %d times in %s, want 5", n, out)
	}
	out, err = xml.Marshal(h.List)
	if err != nil {
		t.Fatal(err)
	}
	if shows(string(out)) {
		t.Errorf("shown in XML: %s", out)
	}
}

func TestSecretNeverLogged(t *testing.T) {
	s := session.Secret(planted)
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := slog.New(handler(&out)).With("with", s)
			log.Info("m", "value", s, "pointer", &s, "struct", holding(s), slog.Group("g", "in", s))
			log.Error("m", "err", fmt.Errorf("using %s: %w", s, errors.New("cause")))
			if shows(out.String()) {
				t.Errorf("shown: %s", out.String())
			}
		})
	}
}

func TestSecretNeverInErrors(t *testing.T) {
	s := session.Secret(planted)
	err := fmt.Errorf("key %q: %w", s, errors.New("refused"))
	chain := []error{
		err,
		fmt.Errorf("outer %v %+v: %w", s, holding(s), err),
		session.Invalid("secret %x: %w", s, err),
		errors.Join(err, session.Invalid("%s", s)),
		&session.Failure{Status: 500, Err: err},
	}
	for _, err := range chain {
		for e := err; e != nil; e = errors.Unwrap(e) {
			if shows(e.Error()) || shows(fmt.Sprintf("%v %+v %#v", e, e, e)) {
				t.Errorf("shown by a %T: %v", e, e)
			}
		}
	}
}

func TestSecretReveal(t *testing.T) {
	if got := session.Secret(planted).Reveal(); got != planted {
		t.Errorf("got %q", got)
	}
	if got := session.Secret(planted).String(); got != "[redacted]" {
		t.Errorf("String gives %q", got)
	}
	if v := slog.AnyValue(session.Secret(planted)).Resolve(); v.Kind() != slog.KindString || v.String() != "[redacted]" {
		t.Errorf("a log handler sees %v", v)
	}
	// An empty secret shows the same: whether there is one is nobody's business.
	if got := fmt.Sprint(session.Secret("")); got != "[redacted]" {
		t.Errorf("the empty secret shows as %q", got)
	}
}

// JSON that comes in is plain: a secret can be read, just not written.
func TestSecretUnmarshal(t *testing.T) {
	var h struct{ Key session.Secret }
	if err := json.Unmarshal([]byte(`{"Key":"`+planted+`"}`), &h); err != nil || h.Key.Reveal() != planted {
		t.Errorf("got %q, %v", h.Key.Reveal(), err)
	}
}
