package fleet_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A limit holds for the whole fleet, of users who come to all instances.
func TestLimitOfTheFleet(t *testing.T) {
	a := newBackend(t, "a")
	r := startRedis(t)
	fleet := start(t, size, "rate_limit user 100 1m\n"+patient(r.url())+providers("", a.url))
	var granted, limited atomic.Int64
	var asking sync.WaitGroup
	begun := time.Now()
	for n := range 400 {
		asking.Go(func() {
			switch got, err := fleet[n%size].session("one"); {
			case err != nil:
				t.Error(err)
			case got.Status == http.StatusOK:
				granted.Add(1)
			case got.Status == http.StatusTooManyRequests && got.Header.Get("Retry-After") != "":
				limited.Add(1)
			default:
				t.Errorf("got %d %s", got.Status, got.Raw)
			}
		})
	}
	asking.Wait()
	t.Logf("%d granted and %d limited in %s", granted.Load(), limited.Load(), time.Since(begun).Round(time.Millisecond))
	if g := granted.Load(); g < 95 || g > 105 || g+limited.Load() != 400 || a.calls.Load() != g {
		t.Errorf("%d granted, %d limited, %d calls of the backend, want 100 ± 5", g, limited.Load(), a.calls.Load())
	}
	if got, _ := fleet[0].session("another"); got.Status != http.StatusOK {
		t.Errorf("another user got %d", got.Status)
	}
}

// max_rate bounds what a provider is asked for by all instances together.
func TestMaxRateOfTheFleet(t *testing.T) {
	a, b := newBackend(t, "a"), newBackend(t, "b")
	text := fmt.Sprintf("%s\n provider backend %s {\n name a\n max_rate 20 1m\n retries 0\n }\n provider backend %s {\n name b\n }", patient(startRedis(t).url()), a.url, b.url)
	fleet := start(t, 4, text)
	for n := range 100 {
		if got, err := fleet[n%4].session(fmt.Sprint(n)); err != nil || got.Status != http.StatusOK {
			t.Fatalf("got %v %d", err, got.Status)
		}
	}
	if got := a.calls.Load(); got < 19 || got > 23 {
		t.Errorf("the provider got %d calls, want 20", got)
	}
}

// What one instance has issued, another one carries, refreshes and cancels.
func TestSessionElsewhere(t *testing.T) {
	a, b := newBackend(t, "a"), newBackend(t, "b")
	r := startRedis(t)
	options := shared(r.url()) + "\n openai_api /v1 {\n key app-key\n }\n chatkit /chatkit {\n thread_owner enforce\n }"
	two := start(t, 2, providers(options, a.url, b.url))
	here, there := two[0], two[1]

	a.dead.Store(true) // so that the second one issues it
	got, err := here.session("alice")
	if err != nil || got.Provider != "b" {
		t.Fatalf("got %v %+v", err, got)
	}
	a.dead.Store(false)
	eventually(t, "it is shared", func() bool { return here.metric(`shared_events_total{direction="sent",kind="session"}`) == "1" })

	t.Run("stream", func(t *testing.T) {
		got, err := there.post("/api/custom/stream", `{}`, "Authorization: Bearer "+got.Secret, "X-User: alice")
		if err != nil || got.Status != http.StatusOK || !strings.Contains(got.Raw, "data: b") {
			t.Errorf("got %v %d %s, want it from b", err, got.Status, got.Raw)
		}
	})
	t.Run("refresh", func(t *testing.T) {
		for user, want := range map[string]string{"alice": "b", "mallory": "a"} {
			got, err := there.post("/api/custom/refresh", `{"token":"`+got.Secret+`"}`, "X-User: "+user)
			if err != nil || got.Provider != want {
				t.Errorf("%s: got %v %+v, want it from %s", user, err, got, want)
			}
		}
	})
	t.Run("cancel", func(t *testing.T) { cancelElsewhere(t, here, there) })
	t.Run("turn", func(t *testing.T) { turnElsewhere(t, here, there) })
}

func cancelElsewhere(t *testing.T, here, there *instance) {
	t.Helper()
	made, err := here.post("/v1/chatkit/sessions", `{"user":"alice","workflow":{"id":"wf_1"}}`, "Authorization: Bearer app-key", "OpenAI-Beta: chatkit_beta=v1")
	if err != nil || made.Status != http.StatusOK || made.ID == "" {
		t.Fatalf("got %v %d %s", err, made.Status, made.Raw)
	}
	stream := func(i *instance) int {
		got, err := i.post("/api/custom/stream", `{}`, "Authorization: Bearer "+made.Secret)
		if err != nil {
			t.Fatal(err)
		}
		return got.Status
	}
	if got := stream(here); got != http.StatusOK {
		t.Fatalf("stream before: %d", got)
	}
	time.Sleep(100 * time.Millisecond) // the record is on its way
	gone, err := there.post("/v1/chatkit/sessions/"+made.ID+"/cancel", "", "Authorization: Bearer app-key", "OpenAI-Beta: chatkit_beta=v1")
	if err != nil || gone.Status != http.StatusOK || !strings.Contains(gone.Raw, "cancelled") {
		t.Fatalf("got %v %d %s", err, gone.Status, gone.Raw)
	}
	if got := stream(there); got != http.StatusUnauthorized {
		t.Errorf("stream where it was cancelled: %d", got)
	}
	eventually(t, "the instance that issued it knows", func() bool { return stream(here) == http.StatusUnauthorized })
}

// turnElsewhere has a turn in a thread that another instance has seen created.
func turnElsewhere(t *testing.T, here, there *instance) {
	t.Helper()
	const turn = `{"type":"threads.add_user_message","params":{"thread_id":"thr_1","input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}}`
	if got, err := here.post("/chatkit", turn, "X-User: alice", "Authorization: Bearer alice"); err != nil || got.Status != http.StatusOK {
		t.Fatalf("got %v %+v", err, got)
	}
	eventually(t, "the owner is shared", func() bool { return here.metric(`shared_events_total{direction="sent",kind="thread"}`) == "1" })
	for user, want := range map[string]bool{"mallory": false, "alice": true} {
		got, err := there.post("/chatkit", turn, "X-User: "+user, "Authorization: Bearer "+user)
		if err != nil {
			t.Fatal(err)
		}
		if served := !strings.Contains(got.Raw, "could not be found"); served != want {
			t.Errorf("%s: got %s", user, got.Raw)
		}
	}
}

// What an operator forces at one instance holds at all, also after a restart of one,
// and a release too.
func TestForcedEverywhere(t *testing.T) {
	a, b := newBackend(t, "a"), newBackend(t, "b")
	r := startRedis(t)
	block := providers(shared(r.url()), a.url, b.url)
	fleet := start(t, 3, block)
	fleet[0].command("/chatkit/providers/a/open", `{"for":"10m","reason":"deploy 7"}`)
	took := eventually(t, "forced everywhere", func() bool {
		return all(fleet, func(i *instance) bool { return i.state() == "forced_open" })
	})
	t.Logf("forced everywhere after %s", took)
	if f := fleet[2].provider("a").Forced; f == nil || f.Reason != "deploy 7" || !strings.Contains(f.By, "127.0.0.1") {
		t.Errorf("got %+v", f)
	}
	if got, _ := fleet[1].session("u"); got.Provider != "b" {
		t.Errorf("served by %s", got.Provider)
	}
	fleet[2].Stop()
	fleet[2].run(block)
	fleet[2].ready(true)
	eventually(t, "forced after a restart", func() bool { return fleet[2].state() == "forced_open" })

	// Who was away when it was released must not force it again.
	fleet[0].Stop()
	fleet[1].command("/chatkit/providers/a/auto", `{}`)
	eventually(t, "released at the others", func() bool {
		return fleet[1].state() == "closed" && fleet[2].state() == "closed"
	})
	fleet[0].run(block)
	fleet[0].ready(true)
	eventually(t, "released at the one that was away", func() bool { return fleet[0].state() == "closed" })
	time.Sleep(time.Second)
	for n, i := range fleet {
		if got := i.state(); got != "closed" {
			t.Errorf("instance %d: %s", n, got)
		}
	}
}
