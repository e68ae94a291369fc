package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit/chatkittest"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// mortal is a backend that can be killed and comes back at the same address.
type mortal struct {
	*testing.T
	URL string

	addr   string
	server *httptest.Server

	mu     sync.Mutex
	bodies []string
	answer http.HandlerFunc
}

// newMortal starts one that answers every turn, and every list with nothing.
func newMortal(t *testing.T) *mortal {
	t.Helper()
	b := &mortal{T: t}
	b.answer = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if chatkit.ReadRequest(body).Type.Streams() {
			begin(w, wholeTurn)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[],"has_more":false}`)
	}
	b.live()
	t.Cleanup(b.kill)
	return b
}

// ServeHTTP keeps the body of a request.
func (b *mortal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	b.bodies = append(b.bodies, string(body))
	answer := b.answer
	b.mu.Unlock()
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	answer(w, r)
}

func (b *mortal) live() {
	b.Helper()
	addr := b.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.addr, b.URL = l.Addr().String(), "http://"+l.Addr().String()
	b.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: b}}
	b.server.Start()
}

func (b *mortal) kill() {
	if b.server != nil {
		b.server.CloseClientConnections()
		b.server.Close()
		b.server = nil
	}
}

// answers lets the backend answer in another way from here on.
func (b *mortal) answers(h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = h
}

// received returns the bodies so far.
func (b *mortal) received() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.bodies...)
}

// model is an endpoint of a model's.
type model struct {
	*testsite.Taker

	text string
}

// newModel starts one that speaks Chat Completions.
func newModel(t *testing.T, text string) *model {
	t.Helper()
	m := &model{text: text}
	m.Taker = testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for word := range strings.SplitSeq(m.text, " ") {
			chunk, _ := json.Marshal(word + " ")
			_, _ = fmt.Fprintf(w, "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":null}]}\n\n", chunk)
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.WriteString(w, "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"+
			"data: {\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n")
	})
	return m
}

const (
	sayBlock = "standin say {\n message \"We are away, {http.request.host}.\"\n title \"Away\"\n }\n"
	asAnn    = "X-User: ann"
	asBen    = "X-User: ben"
)

// modelBlock is a stand-in in front of a model.
func modelBlock(m *model) string {
	return "standin openai_chat {\n url " + m.URL + "/v1\n key planted-model-key-55d2\n model small\n instructions \"planted instructions 91ab\"\n }\n"
}

// withStandIns is the block of a site whose users are in a header.
func withStandIns(b *mortal, options, lines string) string {
	return fmt.Sprintf("\n user {header.X-User}\n %s\n chatkit /chatkit {\n %s\n }\n provider backend %s {\n name a\n retries 0\n breaker {\n consecutive 2\n open 1s\n }\n }",
		options, lines, b.URL)
}

// The bodies of requests.
func message(text string) string {
	return fmt.Sprintf(`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":%q}],"attachments":[],"inference_options":{}}}}`, text)
}

func reply(thread, text string) string {
	return fmt.Sprintf(`{"type":"threads.add_user_message","params":{"thread_id":%q,"input":{"content":[{"type":"input_text","text":%q}],"attachments":[],"inference_options":{}}}}`, thread, text)
}

func about(op, thread string) string {
	return fmt.Sprintf(`{"type":%q,"params":{"thread_id":%q,"title":"T"}}`, op, thread)
}

const listBody = `{"type":"threads.list","params":{"limit":9999,"order":"desc"}}`

// say sends a turn that stand-ins answer, and checks every frame of it.
func (s *site) say(body string, headers ...string) (raw, thread string) {
	s.T.Helper()
	got := s.Post("/chatkit", body, headers...)
	if err := chatkittest.Turn([]byte(got.Raw)); err != nil || got.Status != 200 {
		s.T.Errorf("%v: %d %s", err, got.Status, got.Raw)
	}
	var e struct {
		Thread struct{ ID string }
		Item   struct {
			Thread string `json:"thread_id"`
		}
	}
	_ = json.Unmarshal(chatkit.Data([]byte(strings.SplitAfter(got.Raw, "\n\n")[0])), &e)
	thread = e.Thread.ID
	if thread == "" {
		thread = e.Item.Thread
	}
	return got.Raw, thread
}

// status returns the status of a thread.
func (s *site) status(thread string, headers ...string) (st chatkit.Status, raw string) {
	s.T.Helper()
	got := s.Post("/chatkit", about("threads.get_by_id", thread), headers...)
	if err := chatkittest.Answer(chatkit.ThreadsGetByID, []byte(got.Raw)); err != nil {
		s.T.Errorf("%v: %d %s", err, got.Status, got.Raw)
	}
	var t struct{ Status chatkit.Status }
	_ = json.Unmarshal([]byte(got.Raw), &t)
	return t.Status, got.Raw
}

// awaitBack waits until a backend answers a turn.
func (s *site) awaitBack(headers ...string) {
	s.T.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		got := s.Post("/chatkit", message("Are you there?"), headers...)
		if got.Provider() == "a" {
			return
		}
		if time.Now().After(end) {
			s.T.Fatalf("no backend: %s", got.Raw)
		}
	}
}
