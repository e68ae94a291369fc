package main_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// beforeVar names the binary of another release to upgrade from. Without it that is
// this one.
const beforeVar = "CHATKIT_BEFORE"

// asker asks for sessions until it is told to stop, each on a connection of its
// own: connections that are kept would stay with the old process.
type asker struct {
	asked, retried, lost atomic.Int64
	stop                 chan struct{}
	done                 chan struct{}
}

func startAsker(t *testing.T, url string) *asker {
	t.Helper()
	a := &asker{stop: make(chan struct{}), done: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	go func() {
		defer close(a.done)
		for {
			select {
			case <-a.stop:
				return
			case <-time.After(2 * time.Millisecond):
				a.ask(client, url+"/api/custom/session")
			}
		}
	}()
	return a
}

// ask asks once more where a connection was lost. One that a process has not yet
// accepted when it closes its listener is reset by the kernel.
func (a *asker) ask(client *http.Client, url string) {
	a.asked.Add(1)
	for range 2 {
		resp, err := client.Post(url, "application/json", strings.NewReader("{}"))
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				a.lost.Add(1)
			}
			return
		}
		a.retried.Add(1)
	}
	a.lost.Add(1)
}

func (a *asker) end() {
	close(a.stop)
	<-a.done
}

// upgraded is the text of the site with an admin endpoint of its own: two processes
// that share a port must not share that.
func (s *chatSite) upgraded(admin string) string {
	text := strings.Replace(s.text(v1), "admin "+s.admin, "grace_period 30s\n\tadmin "+admin, 1)
	return strings.Replace(text, "chatkit {", "chatkit {\n\t\tanonymous", 1)
}

// An upgrade with streams open: the new binary listens on the same port beside the
// old one, which is then told to end. What is open ends well, in the old process;
// everything new is served, and the old process leaves when its last stream has
// ended.
func TestUpgrade(t *testing.T) {
	s := newUpgradeSite(t)
	old := s.open(t, each, v1)
	asking := startAsker(t, s.url)

	next := &chatSite{drain: s.drain, installation: &installation{file: s.file + ".next", url: s.url, admin: testsite.FreeAddr(t)}}
	next.write(t, s.upgraded(next.admin))
	program := stamped(t, "v9.8.7")
	next.Process = testsite.StartBinary(t, program, "run", "--adapter", "caddyfile", "--config", next.file)
	next.Await(t, "serving initial configuration")
	if out, err := exec.CommandContext(t.Context(), program, "chatkit-health", "--ready", "--address", next.admin).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Interrupt(t)
	}()
	s.Await(t, "servers shutting down")
	for range 5 {
		time.Sleep(100 * time.Millisecond)
		s.chat.next(false)
		old.hear(t)
		old.talk(t)
	}
	select {
	case <-ended:
		t.Fatal("the old process has not waited for its streams")
	default:
	}
	s.endStreams(t, old)
	<-ended
	asking.end()
	for i, ws := range old.sockets {
		// Caddy cuts them when it ends. A later one may say so first.
		if _, err := ws.NewFrameReader(); os.IsTimeout(err) {
			t.Errorf("socket %d was left open", i)
		}
	}

	t.Logf("%d sessions asked for during the upgrade, %d lost connections, %d without a session",
		asking.asked.Load(), asking.retried.Load(), asking.lost.Load())
	if asking.lost.Load() > 0 || asking.asked.Load() < 50 {
		t.Error("want a session each, after one retry at most")
	}
	metrics := next.get(t, "/metrics")
	if !buildInfo.MatchString(metrics) {
		t.Error("the new process does not say its version")
	}
	if out, err := exec.CommandContext(t.Context(), program, "version").CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "caddy-chatkit v9.8.7, Caddy v2.") {
		t.Errorf("got %s and %v", out, err)
	}
}

// newUpgradeSite starts the binary to upgrade from.
func newUpgradeSite(t *testing.T) *chatSite {
	t.Helper()
	s := newChatSite(t, time.Minute)
	s.Stop()
	s.write(t, s.upgraded(s.admin))
	before := cmp.Or(os.Getenv(beforeVar), testsite.Binary)
	cmd := exec.CommandContext(t.Context(), before, "version")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", before, err, out)
	}
	fmt.Printf("\tupgrade: from %s", out)
	s.Process = testsite.StartBinary(t, before, "run", "--adapter", "caddyfile", "--config", s.file)
	s.Await(t, "serving initial configuration")
	return s
}
