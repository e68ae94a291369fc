package caddymodule_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// An outage as a user sees it: talk, kill, talk, list, reload, heal, talk.
func TestOutage(t *testing.T) {
	s, b := newUnloadedSite(t), newMortal(t)
	m := newModel(t, "I stand in.")
	config := withStandIns(b, "", modelBlock(m)+sayBlock)
	s.Load(config)
	s.persistent()
	step := func(name, want, body string) answer {
		t.Helper()
		got := s.Post("/chatkit", body, asAnn)
		t.Logf("%s: %d %s %s\n%s", name, got.Status, got.Provider(), got.Reason(), got.Raw)
		got.Is(t, want)
		return got
	}
	step("talk", "200 a", message("Hi"))

	b.kill()
	answered := s.Metric(`standin_turns_total{kind="openai_chat",outcome="ok"}`)
	raw, own := s.say(message("Are you there?"), asAnn)
	if !strings.HasPrefix(own, "thr_si_") || !strings.Contains(raw, `"type":"notice","level":"warning"`) || !strings.Contains(raw, `"text":"I stand in. "`) {
		t.Errorf("thread %s: %s", own, raw)
	}
	raw, _ = s.say(reply(own, "More"), asAnn)
	if len(m.Received()) != 2 || !strings.Contains(m.Received()[1].Text, "Are you there?") || !strings.Contains(m.Received()[1].Text, "I stand in.") {
		t.Errorf("the model got %+v", m.Received())
	}
	t.Log("talk: ", raw, s.Logged("caddy.log", "stand-in"))
	if raw, in := s.say(reply("thr_1", "In the old thread"), asAnn); in != "thr_1" || !strings.Contains(raw, "I stand in.") {
		t.Errorf("thread %s: %s", in, raw)
	}
	s.Await(`standin_turns_total{kind="openai_chat",outcome="ok"}`, answered+3)

	list := step("list", "200 standin open", listBody)
	if strings.Count(list.Raw, `"id"`) != 1 || !strings.Contains(list.Raw, own) || list.Reason() == "" {
		t.Errorf("list: %s", list.Raw)
	}
	if other := s.Post("/chatkit", listBody, asBen); strings.Contains(other.Raw, `"id"`) {
		t.Errorf("another's list: %s", other.Raw)
	}
	s.Load(config + "\n stream_idle 4m")
	if st, raw := s.status(own, asAnn); st.Type != chatkit.Active || strings.Count(raw, "I stand in.") != 2 {
		t.Errorf("after a reload: %s", raw)
	}
	if st, raw := s.status(own, asBen); st.Type != chatkit.Closed || strings.Contains(raw, "there") {
		t.Errorf("another's: %s", raw)
	}
	step("delete", "503", about("threads.delete", "thr_1"))

	b.live()
	s.awaitBack(asAnn)
	back := step("heal, talk", "200 a", reply("thr_1", "And now?"))
	frames := strings.SplitAfter(back.Raw, "\n\n")
	if !strings.Contains(frames[1], `"type":"notice","level":"info"`) || strings.Count(back.Raw, `"notice"`) != 1 {
		t.Errorf("the way back: %s", back.Raw)
	}
	if again := s.Post("/chatkit", reply("thr_1", "Once more"), asAnn); strings.Contains(again.Raw, `"notice"`) {
		t.Errorf("a second notice: %s", again.Raw)
	}
	if st, raw := s.status(own, asAnn); st.Type != chatkit.Closed || st.Reason == "" || strings.Count(raw, "I stand in.") != 2 {
		t.Errorf("closed: %s", raw)
	}
	if raw, _ := s.say(reply(own, "Hello?"), asAnn); !strings.Contains(raw, `"thread.updated"`) || !strings.Contains(raw, "back") {
		t.Errorf("a turn in a closed thread: %s", raw)
	}
	for _, body := range b.received() {
		if strings.Contains(body, "thr_si_") {
			t.Errorf("the backend got %s", body)
		}
	}
}
