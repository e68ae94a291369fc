package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// mistake is a Caddyfile that somebody could well write. Its site holds lines; more
// goes into the global options.
type mistake struct{ name, lines string }

// in is a chatkit block with a backend, and with more lines.
func in(lines string) string {
	return "chatkit {\n\tanonymous\n\trate_limit ip 9 1m\n\tprovider backend http://127.0.0.1:9\n\t" + lines + "\n}"
}

// of is a chatkit block of one OpenAI provider, with more lines in it.
func of(lines string) string {
	return "chatkit {\n\tanonymous\n\trate_limit ip 9 1m\n\tprovider openai {\n\t\tkey {env.TEST_OPENAI_KEY}\n\t\t" + lines + "\n\t}\n}"
}

var mistakes = []mistake{
	{"an option misspelled", in("sesion /x")},
	{"an option of a provider misspelled", in("provider openai {\n\t\tname second\n\t\tworkflw wf_1\n\t}")},
	{"a common option of a provider misspelled", in("provider backend http://127.0.0.1:9 {\n\t\tname second\n\t\ttimout 1s\n\t}")},
	{"a breaker option misspelled", in("provider backend http://127.0.0.1:9 {\n\t\tname second\n\t\tbreaker {\n\t\t\tconsecutiv 3\n\t\t}\n\t}")},
	{"a provider module misspelled", in("provider opnai")},
	{"a provider in a route misspelled", in("session /x bakend")},
	{"a rate limit of nobody", in("rate_limit 10 1m")},
	{"a rate limit without a duration", in("rate_limit user 10")},
	{"a rate limit per second without a unit", in("rate_limit user 10 60")},
	{"a rate limit of another scope", in("rate_limit key 10 1m")},
	{"origins behind cors", in("cors https://app.example.com")},
	{"any origin", in("cors {\n\t\torigins *\n\t}")},
	{"workflow and model swapped", of("workflow wf_1 gpt-4")},
	{"no workflow", of("")},
	{"the workflow version latest", of("workflow wf_1\n\t\tversion latest")},
	{"OpenAI without /v1", of("workflow wf_1\n\t\tbase_url https://api.openai.com")},
	{"the key as an argument", in("provider openai sk-planted")},
	{"no provider", "chatkit {\n\tanonymous\n}"},
	{"a URL without a scheme", "chatkit {\n\tanonymous\n\trate_limit ip 9 1m\n\tprovider backend 127.0.0.1:9\n}"},
	{"a duration without a unit", in("deadline 5")},
	{"a ratio in other words", in("provider backend http://127.0.0.1:9 {\n\t\tname second\n\t\tbreaker {\n\t\t\tratio 50%\n\t\t}\n\t}")},
	{"two providers of a name", in("provider backend http://127.0.0.1:8")},
	{"a fallback status in words", in("provider backend http://127.0.0.1:9 {\n\t\tname second\n\t\tfallback_on errors\n\t}")},
	{"three variables not set", "chatkit {\n\tanonymous\n\trate_limit ip 9 1m\n\tprovider backend {env.TEST_A} {\n\t\tkey {env.TEST_B}\n\t}\n\tprovider openai {\n\t\tkey {env.TEST_C}\n\t\tworkflow wf_1\n\t}\n}"},
	{"user without a placeholder", in("user X-User")},
	{"user from a header of the client", in("user {http.request.header.X-User}")},
	{"user from a cookie", in("user {http.request.cookie.user}")},
	{"visitors without a limit", "chatkit {\n\tanonymous\n\tprovider backend http://127.0.0.1:9\n}"},
	{"a matcher for other paths", strings.Replace(in(""), "chatkit {", "chatkit /chat/* {", 1)},
	{"two blocks", in("") + "\n" + strings.Replace(in(""), "127.0.0.1:9", "127.0.0.1:8 {\n\t\tname other\n\t}", 1)},
	{"a timeout longer than the deadline", in("deadline 2s")},
	{"cookies passed on without origins", in("provider backend http://127.0.0.1:9 {\n\t\tname second\n\t\tforward_headers Cookie\n\t}")},
	{"a path without a slash", in("session api/session")},
	{"a path twice", in("session /x\n\tsession /x")},
	{"an unknown failover", in("failover always")},
	{"a buffer without a size", in("buffer lots")},
	{"openai_api without a key", in("openai_api /v1 {\n\t}")},
	{"a model twice", in("provider backend http://127.0.0.1:9 {\n\t\tname second\n\t\tmodel a a\n\t}")},
}

// Given a mistake in a Caddyfile, then Caddy refuses it, or the log warns of it; both
// name the word, and what to do instead. testdata/mistakes.txt holds all of them.
func TestMistakes(t *testing.T) {
	var got strings.Builder
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			said := saidOf(t, m)
			if len(said) == 0 {
				t.Error("nobody said anything")
			}
			fmt.Fprintf(&got, "# %s\n%s\n=> %s\n\n", m.name, m.lines, strings.Join(said, "\n=> "))
		})
	}
	const file = "testdata/mistakes.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant what %s says", got.String(), file)
	}
}

// What is meant gets no warning: somebody in front of chatkit says who the user is,
// and matchers let at least one of its paths through.
func TestNoMistakes(t *testing.T) {
	const user = "user {http.request.header.X-User}"
	for name, lines := range map[string]string{
		"forward_auth":                    "forward_auth 127.0.0.1:9 {\n\turi /\n\tcopy_headers X-User\n}\n" + in(user),
		"request_header sets":             "request_header X-User {http.auth.user.id}\n" + in(user),
		"request_header removes":          "request_header -X-User\n" + in(user),
		"request_header removes all":      "request_header -X-*\n" + in(user),
		"request_header around a route":   "request_header -X-User\nroute {\n" + in(user) + "\n}",
		"request_header within a route":   "route {\nrequest_header -X-User\n" + in(user) + "\n}",
		"a handle that sets":              "handle /api/* {\nrequest_header -X-User\n" + in(user) + "\n}",
		"a matcher of its paths":          strings.Replace(in(""), "chatkit {", "chatkit /api/custom/* {", 1),
		"a matcher of one path":           strings.Replace(in(""), "chatkit {", "chatkit /api/custom/session {", 1),
		"a matcher of the end":            "@end path *ession\n" + strings.Replace(in(""), "chatkit {", "chatkit @end {", 1),
		"a matcher of methods":            "@post method POST\n" + strings.Replace(in(""), "chatkit {", "chatkit @post {", 1),
		"two blocks of other hosts":       "@a host a.example.com\n" + strings.Replace(in(""), "chatkit {", "chatkit @a {", 1) + "\n" + in(""),
		"two blocks of other paths":       in("session /a\nrefresh off\nstream off\nmessage off\nwebsocket off") + "\n" + in("session /b\nrefresh off\nstream off\nmessage off\nwebsocket off"),
		"a cookie with origins":           in("cors {\norigins https://app.example.com\n}\nprovider backend http://127.0.0.1:9 {\nname second\nforward_headers Cookie\n}"),
		"another header without origins":  in("provider backend http://127.0.0.1:9 {\nname second\nforward_headers X-Auth-Token\n}"),
		"a user that logged in elsewhere": in("user {http.auth.user.id}"),
	} {
		t.Run(name, func(t *testing.T) {
			if said := saidOf(t, mistake{name, lines}); len(said) > 0 {
				t.Errorf("got %q", said)
			}
		})
	}
}

// Whether a proxy is trusted too much shows with the first request through it.
func TestWarnsOfLooseProxies(t *testing.T) {
	for name, tt := range map[string]struct {
		trust string
		want  int
	}{
		"loose":  {"trusted_proxies static 127.0.0.1/32", 1},
		"strict": {"trusted_proxies static 127.0.0.1/32\n trusted_proxies_strict", 0},
		"none":   {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnloadedSite(t)
			s.LoadText(strings.Replace(s.Caddyfile(testsite.TwoProviders+"\n rate_limit ip 9 1m"), "auto_https off", "auto_https off\n servers {\n"+tt.trust+"\n}", 1))
			for range 2 {
				s.Session("X-Forwarded-For: 192.0.2.1").Is(t, "200 backend")
			}
			said := slices.DeleteFunc(warnings(s), func(w string) bool { return !strings.Contains(w, "trusted_proxies_strict") })
			if len(said) != tt.want {
				t.Errorf("got %q", said)
			}
		})
	}
}

// saidOf loads the Caddyfile and returns the error, or else the warnings.
func saidOf(t *testing.T, m mistake) (said []string) {
	t.Helper()
	s := newUnloadedSite(t)
	before, _, _ := strings.Cut(s.Caddyfile(""), "\troute {")
	if err := s.TryLoadText(before + m.lines + "\n}\n"); err != nil {
		return []string{unvaried(err.Error(), strings.Count(before, "\n"))}
	}
	return warnings(s)
}

// warnings are the warnings of chatkit in the log, each once.
func warnings(s *site) (said []string) {
	s.T.Helper()
	for _, line := range s.Logged("caddy.log", `"logger":"http.handlers.chatkit`, `"level":"warn"`) {
		fields := make(map[string]any)
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			s.T.Fatal(err)
		}
		words := []string{"warning: " + fmt.Sprint(fields["msg"])}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !slices.Contains([]string{"level", "ts", "logger", "msg"}, name) {
				words = append(words, fmt.Sprintf("%s=%v", name, fields[name]))
			}
		}
		said = append(said, strings.Join(words, " "))
	}
	slices.Sort(said)
	return slices.Compact(said)
}

var (
	atLine   = regexp.MustCompile(`at Caddyfile:(\d+)`)
	loadPath = regexp.MustCompile(`^loading .*chatkit': provision http.handlers.chatkit: `)
)

// unvaried is an error with the lines of the site counted from its first, and
// without Caddy's way to it.
func unvaried(text string, before int) string {
	text = loadPath.ReplaceAllString(text, "")
	return atLine.ReplaceAllStringFunc(text, func(at string) string {
		var n int
		_, _ = fmt.Sscanf(at, "at Caddyfile:%d", &n)
		return fmt.Sprintf("at line %d", n-before)
	})
}
