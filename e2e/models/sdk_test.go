package models_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby/standbytest"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// sent returns what a stand-in sends.
func sent(t *testing.T, module, dialect string) (body []byte) {
	t.Helper()
	model := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
	t.Cleanup(model.Close)
	s := standbytest.New(t, "standin "+module+" "+model.URL+"/v1 {\n model gpt-test\n dialect "+dialect+"\n}")
	s.Turn(standbytest.Turn{Safety: "hash", History: []standin.Message{
		{Role: standin.User, Text: "Hi"}, {Role: standin.Assistant, Text: "Hello"}, {Role: standin.User, Text: "And?"},
	}})
	return body
}

// again reads a request as OpenAI's client knows it, and writes it again. What it does
// not know would be lost.
func again(t *testing.T, body []byte, params any) map[string]any {
	t.Helper()
	if err := json.Unmarshal(body, params); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	out, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	return object(t, out)
}

func object(t *testing.T, text []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return m
}

// OpenAI's own client knows every field that the stand-ins send, in every dialect.
// stream is the one that it sets itself.
func TestSDKKnowsWhatIsSent(t *testing.T) {
	for _, module := range []string{"openai_chat", "openai_responses"} {
		for _, dialect := range []string{"openai", "compatible", "plain"} {
			t.Run(module+"/"+dialect, func(t *testing.T) {
				body := sent(t, module, dialect)
				want := object(t, body)
				if want["stream"] != true {
					t.Errorf("stream is %v", want["stream"])
				}
				delete(want, "stream")
				var params any = new(openai.ChatCompletionNewParams)
				if module == "openai_responses" {
					params = new(responses.ResponseNewParams)
				}
				if got := again(t, body, params); !reflect.DeepEqual(got, want) {
					t.Errorf("got  %v\nwant %v", got, want)
				}
				t.Logf("%s", body)
			})
		}
	}
}
