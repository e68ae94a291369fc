package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The frames of a turn around its deltas, as OpenAI's server writes them.
const (
	turnHead = `{"type":"thread.created","thread":{"id":"thr_%[1]d","created_at":"2026-01-02T03:04:05.123456","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}}
{"type":"thread.item.done","item":{"id":"msg_user","thread_id":"thr_%[1]d","created_at":"2026-01-02T03:04:05.234567","type":"user_message","content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}
{"type":"stream_options","stream_options":{"allow_cancel":true}}
{"type":"thread.item.added","item":{"id":"msg_a","thread_id":"thr_%[1]d","created_at":"2026-01-02T03:04:05.345678","type":"assistant_message","content":[]}}
{"type":"thread.item.updated","item_id":"msg_a","update":{"type":"assistant_message.content_part.added","content_index":0,"content":{"annotations":[],"text":"","type":"output_text"}}}`
	turnDelta = `{"type":"thread.item.updated","item_id":"msg_a","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":" word"}}`
	turnTail  = `{"type":"thread.item.updated","item_id":"msg_a","update":{"type":"assistant_message.content_part.done","content_index":0,"content":{"annotations":[],"text":"%[2]s","type":"output_text"}}}
{"type":"thread.item.done","item":{"id":"msg_a","thread_id":"thr_%[1]d","created_at":"2026-01-02T03:04:05.345678","type":"assistant_message","content":[{"annotations":[],"text":"%[2]s","type":"output_text"}]}}`
)

// headEvents and tailEvents are how many frames stand before the deltas, and behind
// them, and linesPerEvent how many line ends a frame has.
const headEvents, tailEvents, linesPerEvent = 5, 2, 2

func (run turnRun) events() int { return headEvents + run.deltas + tailEvents }

// arrived counts the line ends that the clients have.
var arrived atomic.Int64

// awaitArrived waits until the clients have all events but those that are held.
func (run turnRun) awaitArrived(ctx context.Context) error {
	want := int64(run.turns) * int64(run.events()-tailEvents) * linesPerEvent
	for deadline := time.Now().Add(5 * time.Minute); arrived.Load() < want; time.Sleep(10 * time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d lines have arrived", arrived.Load(), want)
		}
	}
	return nil
}

// serveTurn answers a turn: ?turn=N&deltas=N&every=DURATION.
func serveTurn(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	query := r.URL.Query()
	thread, _ := strconv.Atoi(query.Get("turn"))
	deltas, _ := strconv.Atoi(query.Get("deltas"))
	every, err := time.ParseDuration(query.Get("every"))
	if err != nil {
		http.Error(w, "every: "+err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	_ = rc.Flush()
	if !pass(r.Context()) || !wait(r.Context(), rand.N(every+1)) { //nolint:gosec // not a secret
		return
	}
	send := func(frames string, args ...any) {
		for frame := range strings.SplitSeq(fmt.Sprintf(frames, args...), "\n") {
			_, _ = io.WriteString(w, "data: "+frame+"\n\n")
			_ = rc.Flush()
		}
	}
	send(turnHead, thread)
	for range deltas {
		if !wait(r.Context(), every) {
			return
		}
		send(turnDelta)
	}
	if pass(r.Context()) {
		send(turnTail, thread, strings.Repeat(" word", deltas))
	}
}

// wait waits, and reports whether the client is still there.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// readTurn reads a turn.
func readTurn(ctx context.Context, client *http.Client, address string, turn int, run turnRun) error {
	query := url.Values{"turn": {strconv.Itoa(turn)}, "deltas": {strconv.Itoa(run.deltas)}, "every": {run.every.String()}}
	body := fmt.Sprintf(`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi %d"}],"attachments":[],"inference_options":{}}}}`, turn)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"?"+query.Encode(), strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Chatkit-Frame-Instance-Id", strconv.Itoa(turn))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines, b := 0, make([]byte, 1024)
	for {
		n, err := resp.Body.Read(b)
		n = bytes.Count(b[:n], []byte("\n"))
		lines += n
		arrived.Add(int64(n))
		switch {
		case errors.Is(err, io.EOF) && lines == run.events()*linesPerEvent && resp.StatusCode == http.StatusOK:
			return nil
		case err != nil:
			return fmt.Errorf("event %d of %d: %w", lines/linesPerEvent, run.events(), err)
		}
	}
}
