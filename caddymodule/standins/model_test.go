package standins_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/standby/standbytest"
	_ "github.com/caddy-chatkit/caddy-chatkit/caddymodule/standins"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// model is a server of models that keeps what it is asked.
type model struct {
	*httptest.Server

	mu       sync.Mutex
	requests []request
	answer   http.HandlerFunc
}

type request struct {
	path, body string
	header     http.Header
}

func start(t *testing.T, answer http.HandlerFunc) *model {
	t.Helper()
	m := &model{answer: answer}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	t.Setenv("TEST_MODEL_URL", m.URL+"/v1")
	return m
}

// ServeHTTP implements [http.Handler].
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	m.requests = append(m.requests, request{r.URL.Path, string(body), r.Header})
	answer := m.answer
	m.mu.Unlock()
	answer(w, r)
}

func (m *model) then(answer http.HandlerFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = answer
}

func (m *model) calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.requests)
}

func (m *model) last() request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests[len(m.requests)-1]
}

// The words of both APIs.
var apis = map[string]struct{ path, text, end string }{
	"openai_chat": {
		"/v1/chat/completions", `{"choices":[{"index":0,"delta":{"content":%q},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
	},
	"openai_responses": {
		"/v1/responses", `{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":%q}`,
		`{"type":"response.completed","response":{"usage":{"input_tokens":7,"output_tokens":2}}}`,
	},
}

// says streams these words in the way of the path, then what else it gets.
func says(words []string, end bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		api := apis["openai_chat"]
		if strings.HasSuffix(r.URL.Path, "/responses") {
			api = apis["openai_responses"]
		}
		for _, word := range words {
			_, _ = fmt.Fprintf(w, "data: "+api.text+"\n\n", word)
			w.(http.Flusher).Flush()
		}
		if end {
			_, _ = io.WriteString(w, "data: "+api.end+"\n\n")
		}
		w.(http.Flusher).Flush()
	}
}

func hello() http.HandlerFunc { return says([]string{"Hel", "lo"}, true) }

func status(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// hangs does what first does, then nothing until the client has gone.
func hangs(first http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		first(w, r)
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Second):
		}
	}
}

// cut does what first does, then cuts the connection.
func cut(first http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		first(w, r)
		panic(http.ErrAbortHandler)
	}
}

// key and instructions are what nobody may see.
const (
	key          = "planted-model-key-51c2"
	instructions = "planted-instructions-77ab"
)

// site is a site with a model of a kind, with more options, and say behind it.
func site(t *testing.T, module, options string) *standbytest.Site {
	t.Helper()
	t.Setenv("TEST_MODEL_KEY", key)
	t.Setenv("TEST_INSTRUCTIONS", instructions)
	return standbytest.New(t, lines(module, options))
}

func lines(module, options string) string {
	return "standin say {\n message word\n}\nstandin " + module + ` {env.TEST_MODEL_URL} {
		name model
		key {env.TEST_MODEL_KEY}
		model m-1
		instructions {env.TEST_INSTRUCTIONS}
		timeout 2s
		` + options + "\n}\n"
}

func user(text string) standin.Message { return standin.Message{Role: standin.User, Text: text} }

func assistant(text string) standin.Message {
	return standin.Message{Role: standin.Assistant, Text: text}
}
