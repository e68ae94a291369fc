package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Who may ask a model: a configured user, and whom a backend has answered. A stranger
// gets the operator's word.
func TestWhoMayAsk(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	m := newModel(t, "I stand in.")
	s.Load(withStandIns(b, "", modelBlock(m)+sayBlock))
	bearer := "Authorization: Bearer token-of-cid"
	s.Post("/chatkit", listBody, bearer).Is(t, "200 a")
	b.kill()
	for _, tt := range []struct {
		name, header string
		model        bool
	}{
		{"user", asAnn, true}, {"answered before", bearer, true},
		{"stranger", "X-Other: 1", false}, {"another credential", "Authorization: Bearer guessed", false},
		{"a cookie", "Cookie: a=b", false},
	} {
		n := len(m.Received())
		raw, _ := s.say(message("Hi"), tt.header)
		if asked := len(m.Received()) > n; asked != tt.model || strings.Contains(raw, "We are away") == tt.model {
			t.Errorf("%s: the model was asked: %t; %s", tt.name, asked, raw)
		}
	}
}

// The caps of a model hold whoever asks at once. Everybody has an answer.
func TestStandInCaps(t *testing.T) {
	const clients, most = 50, 7
	s, b := newUnloadedSite(t), newMortal(t)
	m := newModel(t, "I stand in.")
	b.kill()
	s.Load(withStandIns(b, "", strings.Replace(modelBlock(m), "model small", fmt.Sprintf("model small\n max_turns %d 1h", most), 1)+sayBlock))
	var all sync.WaitGroup
	var mu sync.Mutex
	words := make(map[string]int)
	for i := range clients {
		all.Go(func() {
			raw, _ := s.say(message("Hi"), fmt.Sprintf("X-User: user%d", i))
			mu.Lock()
			defer mu.Unlock()
			for _, word := range []string{`"text":"I stand in. "`, `"text":"We are away, 127.0.0.1."`} {
				words[word] += strings.Count(raw, word) / 2 // content_part.done and item.done
			}
		})
	}
	all.Wait()
	if len(m.Received()) != most || words[`"text":"I stand in. "`] != most || words[`"text":"We are away, 127.0.0.1."`] != clients-most {
		t.Errorf("the model was asked %d times, the answers are %v", len(m.Received()), words)
	}
}

// When stand-ins answer instead of a backend, and when not: never after a refusal.
func TestWhenStandInsAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		options string
		want    string // status, provider and reason
		say     bool
	}{
		"refused":            {says(403, "no"), "", "403 a", false},
		"unknown":            {says(404, "no"), "", "404 a", false},
		"too many":           {says(429, "no"), "", "429 a", false},
		"listed 4xx":         {says(404, "no"), "fallback_on 404", "404 a", false},
		"error":              {says(500, "boom"), "", "200 standin status_5xx", true},
		"unavailable":        {says(503, "boom"), "", "200 standin status_5xx", true},
		"not a stream":       {says(200, "<html>"), "", "200 standin", true},
		"cut before content": {aborts(lead), "", "200 standin reset", true},
		"hangs":              {hangs(lead), "", "200 standin first_token", true},
		"empty":              {tells(": nothing\n\n"), "", "200 standin invalid_response", true},
		"error event":        {tells(lead + retryEvent), "", "200 a", false},
		"cut after content":  {aborts(lead + addedFrame), "", "200 a", false},
		"good":               {tells(wholeTurn), "", "200 a", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, b := newUnloadedSite(t), newMortal(t)
			b.answers(tt.answer)
			config := withStandIns(b, "", "first_token 300ms\n"+sayBlock)
			s.Load(strings.Replace(config, "name a", "name a\n "+tt.options, 1))
			got := s.Post("/chatkit", message("Hi"), asAnn)
			got.Is(t, tt.want)
			if strings.Contains(got.Raw, "We are away") != tt.say || len(b.received()) != 1 {
				t.Errorf("after %d requests: %s", len(b.received()), got.Raw)
			}
		})
	}
}

// No request that names a stand-in's thread reaches a backend, whatever it is and in
// whatever form; what has to wait says so.
func TestNoRequestOfStandInsThreadLeaves(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	s.Load(withStandIns(b, "buffer 64KiB", sayBlock))
	b.kill()
	_, own := s.say(message("Hi"), asAnn)
	b.live()
	long := strings.Repeat("x", 100<<10)
	for name, tt := range map[string]struct{ body, want string }{
		"get":            {about("threads.get_by_id", own), "200 standin"},
		"items":          {about("items.list", own), "200 standin"},
		"update":         {about("threads.update", own), "200 standin"},
		"feedback":       {about("items.feedback", own), "200 standin"},
		"sync action":    {about("threads.sync_custom_action", own), "200 standin"},
		"unknown":        {about("threads.get_by_id", "thr_si_gone"), "200 standin"},
		"escaped":        {strings.Replace(about("threads.get_by_id", own), "thr_si_", `thr\u005fsi_`, 1), "200 standin"},
		"message":        {reply(own, "Hi"), "200 standin"},
		"action":         {about("threads.custom_action", own), "200 standin"},
		"structured":     {about("threads.add_structured_input", own), "200 standin"},
		"tool":           {about("threads.add_client_tool_output", own), "200 standin"},
		"retry":          {about("threads.retry_after_item", own), "200 standin"},
		"unknown type":   {about("threads.nope", own), "400"},
		"named twice":    {`{"type":"items.list","params":{"thread_id":"thr_1","thread_id":"` + own + `"}}`, "400"},
		"long message":   {reply(own, long), "200 standin"},
		"named too late": {`{"type":"items.list","params":{"x":"` + long + `","thread_id":"` + own + `"}}`, "413"},
		"turn too late":  {`{"type":"threads.add_user_message","params":{"x":"` + long + `","thread_id":"` + own + `"}}`, "200"},
		"delete":         {about("threads.delete", own), "200 standin"},
	} {
		got := s.Post("/chatkit", tt.body, asAnn)
		if tt.want == "200 standin" && name == "long message" {
			tt.want = "200" // an event of ours: the body is not kept
		}
		got.Is(t, tt.want)
		if name != "delete" && strings.Contains(got.Raw, "We are away") && name != "message" && name != "items" && name != "get" && name != "tool" && name != "escaped" {
			t.Errorf("%s: %s", name, got.Raw)
		}
	}
	if n := len(b.received()); n != 0 {
		t.Errorf("the backend got %q", b.received())
	}
	s.Post("/chatkit", `{"type":"input.transcribe","params":{"audio_base64":"`+long+`"}}`, asAnn).Is(t, "200 a")
}

// Planted secrets are in no log, metric, status, event or configuration: keys and
// instructions that are marked secret, and what people said.
func TestStandInSecrets(t *testing.T) {
	t.Setenv("TEST_MODEL_KEY", "planted-model-key-55d2")
	t.Setenv("TEST_INSTRUCTIONS", "planted-instructions-91ab")
	t.Setenv("TEST_HANDBACK", "http://127.0.0.1:1/planted-path-77c1")
	t.Setenv("TEST_HANDBACK_SECRET", "whsec_cGxhbnRlZC1oYW5kYmFjay1zZWNyZXQtMTIzNDU2")
	s, b := newUnloadedSite(t), newMortal(t)
	m := newModel(t, "planted-answer-31fe")
	fails := testsite.NewTaker(t, says(500, `{"error":{"message":"planted-error-4411 of planted-message-8d0c"}}`))
	block := "standin openai_chat {\n name %s\n url %s/v1\n key {env.TEST_MODEL_KEY}\n model small\n instructions {env.TEST_INSTRUCTIONS}\n }\n"
	s.Load(withStandIns(b, "", "memory 5\n handback {env.TEST_HANDBACK} {env.TEST_HANDBACK_SECRET}\n"+
		fmt.Sprintf(block, "broken", fails.URL)+fmt.Sprintf(block, "works", m.URL)))
	s.persistent()
	s.Post("/chatkit", reply("thr_1", "planted-message-8d0c"), asAnn).Is(t, "200 a")
	b.kill()
	raw, own := s.say(message("planted-message-8d0c"), asAnn, "Cookie: planted-cookie-2b2b", "Authorization: Bearer planted-bearer-6e6e")
	s.say(reply(own, "planted-message-8d0c"), asAnn)
	if !strings.Contains(raw, "planted-answer-31fe") || len(fails.Received()) != 2 {
		t.Fatalf("after %d failures: %s", len(fails.Received()), raw)
	}
	for _, r := range append(m.Received(), fails.Received()...) {
		all := fmt.Sprint(r.Header, r.Text)
		if !strings.Contains(r.Text, "planted-message-8d0c") || !strings.Contains(all, "planted-model-key-55d2") ||
			strings.Contains(all, "cookie-2b2b") || strings.Contains(all, "bearer-6e6e") || strings.Contains(all, `"ann"`) || strings.Contains(all, "thr_") {
			t.Errorf("the model got %s", all)
		}
	}
	b.live()
	s.awaitBack(asAnn)
	s.AwaitLogged("caddy.log", "could not be kept or handed back")
	seen := s.Get(s.Admin+"/metrics") + s.Get(s.Admin+"/chatkit/providers") + s.Get(s.Admin+"/config/")
	for _, file := range []string{"caddy.log", "access.log"} {
		text, err := os.ReadFile(filepath.Join(s.Dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, `"headers":`) { // Caddy's own copy of the client's
				seen += line
			}
		}
	}
	for _, secret := range []string{"planted-", "cGxhbnRlZC1oYW5kYmFja"} {
		if i := strings.Index(seen, secret); i >= 0 {
			t.Errorf("%s is shown: %s", secret, seen[max(i-300, 0):min(i+100, len(seen))])
		}
	}
}

// A client that is lost ends the model's turn, also where turns of backends go on, and
// what was said is kept.
func TestLostDuringStandIn(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	gone := make(chan struct{})
	m := testsite.NewTaker(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Half \"},\"finish_reason\":null}]}\n\n")
		<-r.Context().Done()
		close(gone)
	})
	s.Load(withStandIns(b, "", modelBlock(&model{Taker: m})))
	b.kill()
	canceled := s.Metric(`standin_turns_total{kind="openai_chat",outcome="canceled"}`)
	c := s.turn(s.Client, asAnn)
	for !strings.Contains(c.frame(), "Half") {
	}
	list := s.Post("/chatkit", listBody, asAnn)
	c.lose()
	testsite.Receive(t, gone)
	s.Await(`standin_turns_total{kind="openai_chat",outcome="canceled"}`, canceled+1)
	_, rest, _ := strings.Cut(list.Raw, `"id":"`)
	own, _, _ := strings.Cut(rest, `"`)
	if _, raw := s.status(own, asAnn); !strings.Contains(raw, `"text":"Half "`) {
		t.Errorf("kept: %s", raw)
	}
}

// What was said while the backend was away is handed back, signed, also when Caddy was
// reloaded meanwhile.
func TestHandbackOfSite(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	app := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	config := withStandIns(b, "", "handback "+app.URL+"/missed whsec_cGxhbnRlZC1oYW5kYmFjay1zZWNyZXQtMTIzNDU2\n"+sayBlock)
	s.Load(config)
	s.persistent()
	b.kill()
	_, own := s.say(message("Hi"), asAnn)
	s.say(reply("thr_1", "Ho"), asAnn)
	s.Load(config + "\n stream_idle 4m")
	if n := len(app.Received()); n != 0 {
		t.Errorf("%d posts in the outage", n)
	}
	b.live()
	s.awaitBack(asAnn)
	for end := time.Now().Add(20 * time.Second); len(app.Received()) < 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d posts", len(app.Received()))
		}
	}
	for i, id := range []string{own, "thr_1"} {
		r := app.Received()[i]
		if !strings.HasPrefix(r.Text, `{"user":"ann","thread_id":"`+id) || strings.Count(r.Text, `"created_at"`) != 2 ||
			!strings.HasPrefix(r.Header.Get("Webhook-Signature"), "v1,") {
			t.Errorf("got %v %s", r.Header, r.Text)
		}
	}
}

// With memory the model knows what passed by, and only of the same caller.
func TestMemoryOfSite(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	m := newModel(t, "I stand in.")
	b.answers(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begin(w, strings.NewReplacer(`"content":[]`, `"content":[{"type":"input_text","text":"passed-by"}]`).Replace(userFrame)+optionsFrame+addedFrame+
			strings.Replace(doneFrame, `"content":[]`, `"content":[{"annotations":[],"text":"answer-by","type":"output_text"}]`, 1))
	})
	s.Load(withStandIns(b, "", "memory 10\n"+modelBlock(m)))
	s.persistent()
	s.Post("/chatkit", reply("thr_1", "x"), asAnn).Is(t, "200 a")
	b.kill()
	s.say(reply("thr_1", "And?"), asBen)
	if text := m.Received()[0].Text; strings.Contains(text, "-by") {
		t.Errorf("another's model got %s", text)
	}
	s.say(reply("thr_1", "And?"), asAnn)
	if text := m.Received()[1].Text; !strings.Contains(text, "passed-by") || !strings.Contains(text, "answer-by") {
		t.Errorf("the model got %s", text)
	}
	if st, raw := s.status("thr_1", asAnn); st.Type != chatkit.Active || !strings.Contains(raw, "answer-by") {
		t.Errorf("shown: %s", raw)
	}
	if _, raw := s.status("thr_1", asBen); strings.Contains(raw, "answer-by") {
		t.Errorf("shown to another: %s", raw)
	}
}

// Whoever shows the same credential is the same, once a backend has accepted it; a
// visitor is known by our cookie.
func TestOwnersOfThreads(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	s.Load(withStandIns(b, "anonymous", sayBlock))
	visitor := "Cookie: " + s.visitor()
	bearer := "Authorization: Bearer token-of-cid"
	s.Post("/chatkit", listBody, bearer).Is(t, "200 a")
	b.kill()
	for name, tt := range map[string]struct {
		header string
		lists  int
	}{
		"user": {asAnn, 1}, "visitor": {visitor, 1}, "accepted": {bearer, 1}, "not accepted": {"Authorization: Bearer other", 0},
		"forged visitor": {"Cookie: chatkit_session_id=00000000-0000-0000-0000-000000000000.x", 0},
	} {
		_, own := s.say(message("Mine"), tt.header)
		if list := s.Post("/chatkit", listBody, tt.header); strings.Count(list.Raw, `"id"`) != tt.lists {
			t.Errorf("%s: list %s", name, list.Raw)
		}
		if st, _ := s.status(own, tt.header); st.Type != chatkit.Active {
			t.Errorf("%s: %+v", name, st)
		}
		if st, raw := s.status(own, "X-User: somebody"); st.Type != chatkit.Closed || strings.Contains(raw, "Mine") {
			t.Errorf("%s: shown to another: %s", name, raw)
		}
	}
}

// visitor returns the cookie of a new visitor.
func (s *site) visitor() string {
	s.T.Helper()
	cookie, _, _ := strings.Cut(s.Post("/api/custom/session", "{}").Header.Get("Set-Cookie"), ";")
	if cookie == "" {
		s.T.Fatal("no cookie")
	}
	return cookie
}

// Strangers at one address see nothing of each other.
func TestStrangers(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	s.Load(withStandIns(b, "", sayBlock))
	b.kill()
	_, own := s.say(message("Mine"))
	if got := s.Post("/chatkit", listBody); strings.Contains(got.Raw, `"id"`) {
		t.Errorf("list: %s", got.Raw)
	}
	if st, raw := s.status(own); st.Type != chatkit.Active || !strings.Contains(raw, "Mine") {
		t.Errorf("by its id: %s", raw)
	}
	if st, raw := s.status(own, "Cookie: theme=dark"); st.Type != chatkit.Closed || strings.Contains(raw, "Mine") {
		t.Errorf("with a cookie: %s", raw)
	}
}
