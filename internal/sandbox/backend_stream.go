package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The stream of the simulated backend.
const (
	backendStream = "/api/chat/stream"
	typeEvents    = "text/event-stream"
	// eventPause is the time between two events: short, but long enough to be seen.
	eventPause = 60 * time.Millisecond
	// longestEcho limits how much of a message a reply repeats, in bytes.
	longestEcho = 200
)

// eventEnd ends an event of a stream.
var eventEnd = []byte("\n\n")

// backendDelta is an event of a stream: a piece of the reply, or its end.
type backendDelta struct {
	Type  string `json:"type"` // delta, done
	Delta string `json:"delta,omitempty"`
}

// backendSecrets are the most recent sessions, which may open streams.
type backendSecrets struct {
	mu    sync.Mutex
	known []string
}

func (s *backendSecrets) add(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = remember(s.known, secret)
}

func (s *backendSecrets) has(secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.known, secret)
}

// reply answers a message with a stream. If the server requires a key, the
// request must have that key or a session of this server.
func (b *backend) reply(req *Recorded, _ Fault) reply {
	shown := bearer(req.Header)
	if b.key != "" && shown != b.key && !b.sessions.has(shown) {
		return b.problem(http.StatusUnauthorized)
	}
	message, bad := readMessage(req.Body)
	if bad != nil {
		return marshaled(http.StatusUnprocessableEntity, map[string]any{"detail": bad})
	}
	return reply{status: http.StatusOK, contentType: typeEvents, body: events(message)}
}

// readMessage returns the message of a stream request: {"message": "…"}.
func readMessage(body []byte) (message string, bad []invalid) {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(body, &o); err != nil {
		return "", []invalid{malformed(body, err)}
	}
	raw, ok := o["message"]
	if !ok {
		return "", []invalid{missing(body, "body", "message")}
	}
	if err := json.Unmarshal(raw, &message); err != nil || string(raw) == "null" {
		return "", []invalid{wrongType("string_type", "string", raw, "body", "message")}
	}
	return message, nil
}

// events returns a reply to the message, one event per word.
func events(message string) []byte {
	if len(message) > longestEcho {
		message = strings.ToValidUTF8(message[:longestEcho], "") + "…"
	}
	var all bytes.Buffer
	for word := range strings.SplitAfterSeq("You said: “"+message+"”. This reply comes from the simulated backend, word by word.", " ") {
		writeEvent(&all, backendDelta{Type: "delta", Delta: word})
	}
	writeEvent(&all, backendDelta{Type: "done"})
	return all.Bytes()
}

func writeEvent(to *bytes.Buffer, event backendDelta) {
	data, _ := json.Marshal(event) // two strings: cannot fail
	to.WriteString("data: ")
	to.Write(data)
	to.Write(eventEnd)
}

// send writes a reply. A stream is sent event by event.
func (e *exchange) send(a reply) {
	if a.contentType != typeEvents {
		a.write(e.w)
		return
	}
	e.w.Header().Set("Cache-Control", "no-cache")
	a.head(e.w, -1)
	if a.turn == nil {
		e.sendEvents(a.body, eventPause)
		return
	}
	a.turn.begin()
	sent, whole := e.sendEvents(a.body, a.turn.pause)
	a.turn.end(sent, whole)
}

// sendEvents sends the events of a stream. It returns how many, and whether those
// are all.
func (e *exchange) sendEvents(all []byte, pause time.Duration) (sent int, whole bool) {
	for event := range bytes.SplitAfterSeq(all, eventEnd) {
		if len(event) == 0 {
			break // after the last one
		}
		_, _ = e.w.Write(event)
		flush(e.w)
		sent++
		if !e.pause(pause) {
			return sent, false
		}
	}
	return sent, true
}

// pause waits for d. It returns false if the client or the server is gone.
func (e *exchange) pause(d time.Duration) bool {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
		return true
	case <-e.r.Context().Done():
	case <-e.s.gone:
	}
	drop(e.w, reset)
	return false
}
