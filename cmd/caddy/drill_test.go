package main_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const drillToken = "planted-drill-token-41c7"

// The exit code of chatkit-drill says whether the fallback works, whatever the state of
// the first provider, and the token is shown nowhere.
func TestDrillCommand(t *testing.T) {
	in := install(t)
	in.write(t, in.text("drill "+drillToken))
	if out, err := in.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	token := []string{"CHATKIT_DRILL_TOKEN=" + drillToken}
	drill := func(env []string, args ...string) (string, error) {
		t.Helper()
		out, err := testsite.Run(t, env, append([]string{"chatkit-drill"}, args...)...)
		if strings.Contains(out, drillToken) {
			t.Errorf("the token is shown: %s", out)
		}
		return out, err
	}
	out, err := drill(token, in.url)
	matches(t, out, err, `(?m)^http://\S+/api/custom/session$`, `(?m)^as it is: +backend served \(200, \d+m?s\)$`,
		`(?m)^without the first: openai served \(200, \d+m?s, because of drill\)$`, `(?m)^The fallback works\.$`)
	out, err = drill(nil, in.url+"/api/chatkit/session", "--token", drillToken, "--header", "X-Any: thing")
	matches(t, out, err, `/api/chatkit/session`, `The fallback works`)

	for name, c := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"another token":    {[]string{"CHATKIT_DRILL_TOKEN=another-token-of-16"}, []string{in.url}, "the site took no notice of the token"},
		"no token":         {[]string{"CHATKIT_DRILL_TOKEN="}, []string{in.url}, "the token is missing (set CHATKIT_DRILL_TOKEN, or --token)"},
		"no URL":           {token, nil, "the URL of the site is missing"},
		"no address":       {token, []string{"chat.example.com"}, `invalid URL \"chat.example.com\" (want https://chat.example.com)`},
		"two":              {token, []string{in.url, "now"}, `unexpected argument \"now\"`},
		"a path of others": {token, []string{in.url + "/elsewhere"}, "no chat provider has answered"},
		"a bad header":     {token, []string{in.url, "--header", "Cookie"}, `invalid header \"Cookie\" (want \"name: value\")`},
		"nobody there":     {token, []string{"http://" + testsite.FreeAddr(t)}, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := drill(c.env, c.args...); err == nil || !strings.Contains(out, c.want) {
				t.Errorf("got %v: %s", err, out)
			}
		})
	}

	testsite.Set(t, in.openai, sandbox.Status500)
	if out, err := drill(token, in.url); err == nil || !strings.Contains(out, "the fallback does not work (HTTP 502)") {
		t.Errorf("got %v: %s", err, out)
	}
	testsite.Set(t, in.openai, sandbox.None)
	testsite.Set(t, in.backend, sandbox.Refuse)
	out, err = drill(token, in.url)
	matches(t, out, err, `(?m)^as it is: +openai served \(200, .*because of dial\)$`, `The fallback works`)
}
