package standins_test

import (
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby/standbytest"
)

// say speaks the operator's words, with the placeholders of the request.
func TestSay(t *testing.T) {
	t.Setenv("TEST_STATUS", "https://status.example.com")
	s := standbytest.New(t, "standin say {\n message `We are **away**, {http.request.header.X-Name}. See {env.TEST_STATUS}. {unknown}`\n title `Back soon`\n}")
	got := s.Turn(ask("Hi"), "X-Name: Ann {env.TEST_STATUS}")
	if want := "We are **away**, Ann {env.TEST_STATUS}. See https://status.example.com. {unknown}"; got.Text != want {
		t.Errorf("got %q, want %q", got.Text, want)
	}
	if got.Title != "Back soon" || got.Notice != "" || got.Spoke != "say" || len(got.Texts) != 1 {
		t.Errorf("got %+v", got)
	}
	if err := s.TryLoad("standin say {\n message x\n}"); err != nil {
		t.Fatal(err)
	}
	if got := s.Ask("a", "Hi"); got.Title != "The assistant is not available" {
		t.Errorf("the title is %q", got.Title)
	}
	// What is empty once its placeholders are replaced is no answer.
	if err := s.TryLoad("standin say {\n message {http.request.header.X-Name}\n}"); err != nil {
		t.Fatal(err)
	}
	if got := s.Ask("a", "Hi").String(); got != ": |invalid_response|say invalid_response" {
		t.Errorf("got %q", got)
	}
}

// What cannot be meant is refused, and the configuration in force goes on.
func TestRefused(t *testing.T) {
	t.Setenv("TEST_EMPTY", "")
	s := standbytest.New(t, "standin say {\n message word\n}")
	for text, want := range map[string]string{
		"standin":                            "wrong syntax, want: standin <module>",
		"standin openai_chta {\n model m\n}": `unknown stand-in module "openai_chta" (did you mean openai_chat?)`,
		"standin say":                        "say: message is missing",
		"standin say hello":                  `unexpected argument "hello" after say`,
		"standin say {\n mesage x\n}":        `unrecognized say option "mesage" (did you mean message?)`,
		"standin say {\n message x\n title {env.TEST_EMPTY}\n}":      "title",
		"standin say {\n message x\n}\nstandin say {\n message y\n}": `standin name "say" is given twice`,
		"standin say {\n message x\n name backend\n}":                "the name stands for a provider with other settings",
		"standin openai_chat":                                                        "openai_chat: url is missing",
		"standin openai_chat http://m/v1":                                            "openai_chat: model is missing",
		"standin openai_chat ftp://m {\n model m\n}":                                 "url: ftp://m does not begin with http:// or https://",
		"standin openai_chat http://m {\n url http://n\n}":                           "url is given twice",
		"standin openai_chat http://k@m/v1 {\n model m\n}":                           "credentials are not allowed; use key",
		"standin openai_chat {env.TEST_EMPTY} {\n model m\n}":                        "url",
		"standin openai_chat http://m/v1 {\n model {env.TEST_EMPTY}\n}":              "model",
		"standin openai_chat http://m/v1 {\n model m\n max_tokens 0\n}":              "max_tokens: 0 is too low (minimum 1)",
		"standin openai_responses http://m/v1 {\n model m\n max_tokens 15\n}":        "max_tokens: 15 is too low (minimum 16)",
		"standin openai_chat http://m/v1 {\n model m\n history 100B\n}":              "history: 100 is not between 1024 and 16777216 bytes",
		"standin openai_chat http://m/v1 {\n model m\n dialect opneai\n}":            `invalid dialect "opneai" (want openai, compatible or plain)`,
		"standin openai_chat http://m/v1 {\n model m\n timeout 20m\n}":               "timeout 20m0s is too long (maximum 10m0s",
		"standin openai_chat http://m/v1 {\n model m\n max_turns 5\n}":               "wrong syntax, want: max_turns <n> <duration>",
		"standin openai_chat http://m/v1 {\n model m\n transport http {\n tls\n}\n}": "upstream address scheme is HTTP but transport is configured for HTTP+TLS",
	} {
		if err := s.TryLoad(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v\nwant %s", text, err, want)
		}
	}
	if got := s.Ask("a", "Hi").String(); got != "say: word||" {
		t.Errorf("got %q", got)
	}
}

// What works and cannot be meant is warned of when it is loaded.
func TestWarnings(t *testing.T) {
	s := standbytest.New(t, "standin openai_chat http://m.example.com {\n model m\n key literal\n}")
	for _, words := range [][]string{
		{"url has no path", "usually below /v1"},
		{"key is written into the configuration"},
		{"key is sent unencrypted", "m.example.com"},
	} {
		if lines := s.Logged("caddy.log", append(words, `"level":"warn"`)...); len(lines) != 1 {
			t.Errorf("%q: got %q", words, lines)
		}
	}
	t.Setenv("TEST_KEY", "k")
	before := len(s.Logged("caddy.log", `"level":"warn"`, "key"))
	if err := s.TryLoad("standin openai_chat https://m.example.com/v1 {\n model m\n key {env.TEST_KEY}\n}\nstandin openai_responses http://127.0.0.1:11434/v1 {\n model m\n key {env.TEST_KEY}\n}"); err != nil {
		t.Fatal(err)
	}
	if after := len(s.Logged("caddy.log", `"level":"warn"`, "key")); after != before {
		t.Errorf("%d warnings, want %d", after, before)
	}
}
