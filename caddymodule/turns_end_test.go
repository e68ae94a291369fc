package caddymodule_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// turnEndings are the ways in which a turn ends, and what its client gets.
var turnEndings = []struct {
	name    string
	options string
	backend http.HandlerFunc // nil: nobody listens
	body    string
	want    string
	status  int // 0: 200
	end     string
	outcome string
	stored  string // what the backend has of its answer
}{
	{"in order", "", tells(wholeTurn), createBody, wholeTurn, 0, "ok", "ok", "whole"},
	{"the backend's error", "", tells(lead + retryEvent), createBody, lead + retryEvent, 0, "error", "ok", "whole"},
	{"no last blank line", "", tells(wholeTurn[:len(wholeTurn)-1]), createBody, wholeTurn + "\n", 0, "ok", "ok", "whole"},
	{"cut within a frame", "", tells(lead + addedFrame[:20]), createBody, lead + retryEvent, 0, "cut", "cut", "whole"},
	{"cut between frames", "", aborts(lead + addedFrame), createBody, lead + addedFrame + retryEvent, 0, "cut", "cut", "broken"},
	{"idle", "stream_idle 200ms", hangs(lead + addedFrame), createBody, lead + addedFrame + retryEvent, 0, "idle", "idle", "canceled"},
	{"empty", "", tells(""), createBody, retryEvent, 0, "empty", "cut", "whole"},
	{"unknown thread", "", tells(""), addBody, noThread, 0, "unknown_thread", "ok", "whole"},
	{"unfinished", "", tells(lead + addedFrame), createBody, lead + addedFrame + retryEvent, 0, "unfinished", "cut", "whole"},
	{"500", "", says(500, "a"), createBody, errorEvent, 0, "failed", "failed", "whole"},
	{"not a stream", "", says(200, "a"), createBody, errorEvent, 0, "failed", "failed", "whole"},
	{"dead", "", nil, createBody, errorEvent, 0, "failed", "failed", "nothing"},
	{"no header", "first_byte 200ms", hangs(""), createBody, errorEvent, 0, "failed", "failed", "canceled"},
	{"404", "", says(404, "a"), addBody, "a", 404, "passed", "ok", "whole"},
}

// stores is a backend that says of each request how its answer ended for it: "whole"
// when it has sent all of it, "broken" when it failed itself, "canceled" when its
// client left before, which OpenAI's server keeps as the user's wish.
func stores(h http.HandlerFunc, stored chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		how := "broken"
		defer func() { stored <- how }()
		h(w, r)
		if how = "whole"; r.Context().Err() != nil {
			how = "canceled"
		}
	}
}

// aborts begins an answer and breaks it off.
func aborts(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		begin(w, text)
		panic(http.ErrAbortHandler)
	}
}

// hangs begins an answer, if there is text, and says nothing more.
func hangs(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if text != "" {
			begin(w, text)
		}
		<-r.Context().Done()
	}
}

// Every turn ends as the protocol has it, over every version of HTTP.
func TestTurnsEndInOrder(t *testing.T) {
	for _, tt := range turnEndings {
		t.Run(tt.name, func(t *testing.T) {
			s := newUnloadedSite(t)
			url := testsite.Nobody(t)
			stored := make(chan string, 1)
			if tt.backend != nil {
				url = testsite.OwnBackend(t, stores(tt.backend, stored))
			}
			s.LoadText(s.secure(testsite.Backends("chatkit /chatkit\n "+tt.options, url+neverOpen)))
			for version, transport := range protocols {
				s.Client.CloseIdleConnections()
				s.Client.Transport = transport()
				ended, counted := s.Metric(end(tt.end)), s.Metric(`streams_total{kind="chatkit",outcome="`+tt.outcome+`"}`)
				a, err := s.Try(http.MethodPost, "/chatkit", tt.body, frameOne)
				status := max(tt.status, 200)
				if err != nil || a.Raw != tt.want || a.Status != status {
					t.Errorf("%s: got %d %q and %v, want %q", version, a.Status, a.Raw, err, tt.want)
				}
				has := "nothing"
				if tt.backend != nil {
					has = testsite.Receive(t, stored)
				}
				if has != tt.stored {
					t.Errorf("%s: the backend has stored it as %s, want %s", version, has, tt.stored)
				}
				t.Logf("| %s | %s | %d %s | %s |", tt.name, version, a.Status, brief(a.Raw), has)
				s.Await(end(tt.end), ended+1)
				s.Await(`streams_total{kind="chatkit",outcome="`+tt.outcome+`"}`, counted+1)
				s.Await("turns_in_flight", 0)
			}
		})
	}
}

// brief names the frames of a turn.
func brief(raw string) string {
	return strings.NewReplacer(wholeTurn, "[whole turn]", lead, "[lead]", addedFrame, "[item added]",
		retryEvent, "[error: stream.error]", errorEvent, "[error: unavailable]", noThread, "[error: not found]").Replace(raw)
}

// A broken turn does not keep its backend from others: only what came before its
// header does.
func TestBrokenTurnsAndTheBreaker(t *testing.T) {
	s := newUnloadedSite(t)
	s.Load(testsite.Backends("chatkit /chatkit", testsite.OwnBackend(t, aborts(lead))+"\n breaker {\n consecutive 1\n }"))
	s.Post("/chatkit", createBody)
	if s.Metric(`breaker_state{provider="a",state="closed"}`) != 1 {
		t.Error("the breaker is open")
	}
}
