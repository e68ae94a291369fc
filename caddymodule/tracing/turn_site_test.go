package tracing_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	question = `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}}`
	opening  = `data: {"type":"thread.created","thread":{"id":"thr_1","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}}` + "\n\n" +
		`data: {"type":"thread.item.added","item":{"id":"msg_a","thread_id":"thr_1","type":"assistant_message","content":[]}}` + "\n\n"
	notice  = `data: {"type":"progress_update","icon":"search","text":"Searching"}` + "\n\n"
	closing = `data: {"type":"thread.item.done","item":{"id":"msg_a","thread_id":"thr_1","type":"assistant_message","content":[]}}` + "\n\n"
)

// ask begins to read a turn.
func ask(t *testing.T, s *testsite.Site) (resp *http.Response, leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	r, err := testsite.Request(ctx, http.MethodPost, s.URL+"/chatkit", question, "Chatkit-Frame-Instance-Id: f1")
	if err != nil {
		t.Fatal(err)
	}
	if resp, err = s.Client.Do(r); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Error(err)
	}
	leave = func() {
		cancel()
		_ = resp.Body.Close()
	}
	t.Cleanup(leave)
	return resp, leave
}

// A turn has a span of its own, with the attempts below it. It outlives the client's
// request, and who attaches is linked to it.
func TestTurn(t *testing.T) {
	frames := make(chan string)
	end := sync.OnceFunc(func() { close(frames) })
	k := testsite.NewTaker(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, opening)
		_ = http.NewResponseController(w).Flush()
		for frame := range frames {
			_, _ = io.WriteString(w, frame)
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.WriteString(w, closing)
	})
	t.Cleanup(end)
	s := traced(t, testsite.Backends("chatkit /chatkit", k.URL))
	_, leave := ask(t, s) //nolint:bodyclose // leave does
	leave()
	for range 200 { // its request ends with the frame after its loss was noticed
		if len(exported.Load().GetSpans()) == 2 {
			break
		}
		frames <- notice
		time.Sleep(20 * time.Millisecond)
	}
	first := spans(t, 2)   // the turn goes on
	second, _ := ask(t, s) //nolint:bodyclose // the end of the test does
	end()
	if _, err := io.ReadAll(second.Body); err != nil {
		t.Error(err)
	}
	got := spans(t, 4)
	turn, attempt := got["turn"][0], got["attempt a"][0]
	below(t, first["handler"][0], turn)
	below(t, turn, attempt)
	if !turn.EndTime.After(first["handler"][0].EndTime) {
		t.Errorf("the turn ended at %s, its first client at %s", turn.EndTime, first["handler"][0].EndTime)
	}
	says(t, "the turn", turn.Attributes, "route=chatkit", "turn.end=ok", "turn.type=threads.create", "turn.unread=false")
	if e := events(turn); !slices.Equal(e, []string{"first token", "client attached"}) {
		t.Errorf("the turn has %q", e)
	}
	says(t, "the first client", first["handler"][0].Attributes, "outcome=canceled", "provider=a", "route=chatkit")
	late := got["handler"][1]
	says(t, "the second client", late.Attributes, "attached=true", "http.response.status_code=200", "outcome=ok", "provider=a", "route=chatkit")
	if len(late.Links) != 1 || late.Links[0].SpanContext.SpanID() != turn.SpanContext.SpanID() {
		t.Errorf("the second client is linked to %v", late.Links)
	}
	if h := k.Only(t).Header.Get("Traceparent"); h != traceparent(attempt) {
		t.Errorf("the backend got %q, want %q", h, traceparent(attempt))
	}
}

// A turn that breaks off is an error, and so is one that nobody answers, whose
// providers are events of it.
func TestBrokenTurns(t *testing.T) {
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	for name, c := range map[string]struct {
		backend http.HandlerFunc
		end     string
		events  []string
		spans   int
	}{
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, opening)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "cut", []string{"first token"}, 3},
		"no answer": {down, "failed", nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := traced(t, testsite.Backends("chatkit /chatkit", testsite.OwnBackend(t, c.backend)))
			s.Post("/chatkit", question)
			turn := spans(t, c.spans)["turn"][0]
			says(t, "the turn", turn.Attributes, "error.type="+c.end, "route=chatkit", "turn.end="+c.end, "turn.type=threads.create", "turn.unread=false")
			if turn.Status.Code != codes.Error || !slices.Equal(events(turn), c.events) {
				t.Errorf("the turn is %v with %q", turn.Status, events(turn))
			}
		})
	}
}

// A turn that shows no content in time is an error of the attempt that was made for it.
func TestLateTurn(t *testing.T) {
	over := make(chan struct{})
	backend := testsite.OwnBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-over:
		case <-r.Context().Done():
		}
	})
	defer close(over)
	s := traced(t, testsite.Backends("chatkit /chatkit {\n first_token 200ms\n }", backend))
	s.Post("/chatkit", question)
	got := spans(t, 3)
	says(t, "the attempt", got["attempt a"][0].Attributes, "error.type=first_token", "hedge=false", "http.response.status_code=200",
		"provider=a", "reason=first_token", "route=chatkit", "try=1")
}
