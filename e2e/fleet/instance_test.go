package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

func TestMain(m *testing.M) { os.Exit(testsite.RunWithBinary(m)) }

// fleetKey is a secret that must be in no key and value of Redis.
const fleetKey = "planted-fleet-key-0123456789abcdef"

// instance is a Caddy that runs.
type instance struct {
	*testsite.Process

	t          *testing.T
	url, admin string
	dir        string
}

// client follows no redirects, and keeps enough connections for a load.
var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// caddyfile returns the configuration of an instance.
func (i *instance) caddyfile(block string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	auto_https off
	storage file_system %s
	log {
		output file %s
		format json
		level DEBUG
	}
}
%s {
	chatkit {
		user {http.request.header.X-User}
		%s
	}
}
`, strings.TrimPrefix(i.admin, "http://"), filepath.Join(i.dir, "storage"), filepath.Join(i.dir, "caddy.log"), i.url, block)
}

// startInstance starts one with a chatkit block.
func startInstance(t *testing.T, block string) *instance {
	t.Helper()
	i := &instance{t: t, url: testsite.Nobody(t), admin: testsite.Nobody(t), dir: t.TempDir()}
	i.run(block)
	return i
}

func (i *instance) run(block string) {
	i.t.Helper()
	file := filepath.Join(i.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(i.caddyfile(block)), 0o600); err != nil {
		i.t.Fatal(err)
	}
	i.t.Setenv("FLEET_KEY", fleetKey)
	i.Process = testsite.Start(i.t, "run", "--config", file, "--adapter", "caddyfile")
}

// ready waits until an instance serves, and shares if it is to.
func (i *instance) ready(shares bool) {
	i.t.Helper()
	eventually(i.t, "instance serves", func() bool {
		resp, err := client.Get(i.admin + "/chatkit/live")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if shares {
		eventually(i.t, "instance shares", func() bool { return i.metric("shared_up") == "1" })
	}
}

// start starts a fleet.
func start(t *testing.T, n int, block string) []*instance {
	t.Helper()
	all := make([]*instance, n)
	for i := range all {
		all[i] = startInstance(t, block)
	}
	for _, i := range all {
		i.ready(strings.Contains(block, "shared "))
	}
	return all
}

// metric returns the value of a series, which names its labels too.
func (i *instance) metric(series string) string { return i.process("caddy_chatkit_" + series) }

// process returns the value of any series.
func (i *instance) process(series string) string {
	resp, err := client.Get(i.admin + "/metrics")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// status is a provider as the admin API shows it.
type status struct {
	Name          string
	State         string
	CooldownUntil *time.Time `json:"cooldown_until"`
	Forced        *struct{ Reason, By string }
}

func (i *instance) provider(name string) (s status) {
	i.t.Helper()
	resp, err := client.Get(i.admin + "/chatkit/providers")
	if err != nil {
		return s
	}
	defer resp.Body.Close()
	var list []status
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		i.t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == name {
			return s
		}
	}
	return s
}

// state is the state of the breaker of the first provider.
func (i *instance) state() string { return i.provider("a").State }

// admitted posts to the admin API.
func (i *instance) command(path, body string) {
	i.t.Helper()
	resp, err := client.Post(i.admin+path, "application/json", strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		i.t.Fatalf("%s: %d %s", path, resp.StatusCode, text)
	}
}

// answer is an answer of an instance.
type answer struct {
	Status   int
	Provider string      `json:"provider"`
	Secret   string      `json:"client_secret"`
	Code     string      `json:"code"`
	ID       string      `json:"id"`
	Raw      string      `json:"-"`
	Header   http.Header `json:"-"`
}

// post sends a request. Each header is "Name: value".
func (i *instance) post(path, body string, headers ...string) (a answer, err error) {
	r, err := http.NewRequest(http.MethodPost, i.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return a, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	_ = json.Unmarshal(raw, &a)
	a.Status, a.Raw, a.Header = resp.StatusCode, string(raw), resp.Header
	return a, nil
}

// session asks for a session as a user.
func (i *instance) session(user string) (answer, error) {
	return i.post("/api/create-session", "", "X-User: "+user)
}

// all reports whether something holds of every instance.
func all(list []*instance, holds func(*instance) bool) bool {
	for _, i := range list {
		if !holds(i) {
			return false
		}
	}
	return true
}
