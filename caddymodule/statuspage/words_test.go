package statuspage

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/breaker"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The pages have words for every reason and every state there is.
func TestPageKnowsTheWords(t *testing.T) {
	words, err := fs.ReadFile(Files(), "words.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range session.Reasons() {
		if !strings.Contains(string(words), fmt.Sprintf("\n  %s: \"", r)) {
			t.Errorf("no words for %s", r)
		}
	}
	for _, s := range breaker.States() {
		if !strings.Contains(string(words), fmt.Sprintf("\n  %s: \"", s)) {
			t.Errorf("no words for %s", s)
		}
	}
}
