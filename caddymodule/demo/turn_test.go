package demo

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The two routes of the page's panel show the difference: where the client is lost in
// the middle of a turn, the backend has the whole answer, or half of it and a wrong
// idea of why.
func TestLostTurn(t *testing.T) {
	d := startDemo(t)
	for _, path := range []string{"/chatkit", "/plain/chatkit"} {
		loseTurn(t, d.loopbackURL()+path)
	}
	var turns []sandbox.Turn
	writing := func() bool {
		turns = d.backend.Turns()
		return len(turns) < 2 || turns[0].State == "writing" || turns[1].State == "writing"
	}
	for end := time.Now().Add(20 * time.Second); writing(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the turns are %+v", turns)
		}
	}
	with, without := turns[0], turns[1]
	if with.State != "whole" || with.Hidden != "" || !strings.HasSuffix(with.Answer, "only half of it.") {
		t.Errorf("with chatkit the backend has stored %+v", with)
	}
	if without.State != "cancelled" || without.Hidden == "" || strings.HasSuffix(without.Answer, "only half of it.") || len(turns) != 2 {
		t.Errorf("without chatkit it has stored %+v", turns[1:])
	}
}

// loseTurn asks for a turn and is lost after the first word of the answer.
func loseTurn(t *testing.T, url string) {
	t.Helper()
	ctx, lose := context.WithCancel(t.Context())
	defer lose()
	r, err := testsite.Request(ctx, http.MethodPost, url,
		`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"x"}],"attachments":[],"inference_options":{}}}}`,
		"Chatkit-Frame-Instance-Id: f1")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), `"delta":"You "`) {
			return
		}
	}
	t.Fatalf("%s: no word came", url)
}
