package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// The types of ChatKit's protocol, as far as the simulated backend speaks it.
type (
	chatEvent struct {
		Type    string          `json:"type"`
		Thread  *chatThread     `json:"thread,omitempty"`
		Item    *chatItem       `json:"item,omitempty"`
		ItemID  string          `json:"item_id,omitempty"`
		Update  *chatUpdate     `json:"update,omitempty"`
		Options map[string]bool `json:"stream_options,omitempty"`
	}
	chatUpdate struct {
		Type    string    `json:"type"`
		Index   int       `json:"content_index"`
		Content *chatPart `json:"content,omitempty"`
		Delta   string    `json:"delta,omitempty"`
	}
	chatThread struct {
		ID        string             `json:"id"`
		CreatedAt string             `json:"created_at"`
		Status    map[string]string  `json:"status"`
		Metadata  map[string]string  `json:"metadata"`
		Items     chatPage[chatItem] `json:"items"`
	}
	chatItem struct {
		ID          string            `json:"id"`
		Thread      string            `json:"thread_id"`
		CreatedAt   string            `json:"created_at"`
		Type        string            `json:"type"`
		Content     []chatPart        `json:"content"`
		Attachments []string          `json:"attachments,omitzero"`
		Inference   map[string]string `json:"inference_options,omitzero"`
	}
	chatPart struct {
		Annotations []string `json:"annotations,omitzero"`
		Text        string   `json:"text"`
		Type        string   `json:"type"`
	}
	chatPage[T any] struct {
		Data []T  `json:"data"`
		More bool `json:"has_more"`
	}
)

func newThread(id, at string) *chatThread {
	return &chatThread{
		ID: id, CreatedAt: at, Status: map[string]string{"type": "active"}, Metadata: map[string]string{},
		Items: chatPage[chatItem]{Data: []chatItem{}},
	}
}

func marshalFrames(events []chatEvent) []byte {
	var all bytes.Buffer
	for _, event := range events {
		data, _ := json.Marshal(event) // strings: cannot fail
		all.WriteString("data: ")
		all.Write(data)
		all.Write(eventEnd)
	}
	return all.Bytes()
}

// Turn is what a simulated backend has stored of a turn of ChatKit's protocol.
type Turn struct {
	// Number counts the turns that the backend was asked for, from 1.
	Number int `json:"number"`
	// Thread is its thread's ID.
	Thread string `json:"thread"`
	// State is "writing", "whole", or "cancelled": the connection was lost, which
	// OpenAI's server takes for the user's wish.
	State string `json:"state"`
	// Answer is what is stored of the answer, "" while it is written.
	Answer string `json:"answer"`
	// Hidden is what the model is told in the next turn, "" for nothing.
	Hidden string `json:"hidden"`
}

// The states of a turn.
const (
	turnWriting   = "writing"
	turnWhole     = "whole"
	turnCancelled = "cancelled"
)

// cancelNote is what OpenAI's server stores where a connection is lost. No client
// sees it, but the model obeys it.
const cancelNote = "The user cancelled the stream. Stop responding to the prior request."

// backendChats are the latest threads and turns of the simulated backend.
type backendChats struct {
	mu      sync.Mutex
	threads []*chatThread // oldest first
	asked   int           // number of turns ever
	turns   []Turn        // oldest first
}

// thread returns a copy of a thread, nil if it is not known.
func (c *backendChats) thread(id string) *chatThread {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.threads {
		if t.ID == id {
			found := *t
			found.Items.Data = slices.Clone(t.Items.Data)
			return &found
		}
	}
	return nil
}

// list returns the threads without their items, the latest first.
func (c *backendChats) list() chatPage[chatThread] {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := chatPage[chatThread]{Data: []chatThread{}}
	for _, t := range slices.Backward(c.threads) {
		all.Data = append(all.Data, *newThread(t.ID, t.CreatedAt))
	}
	return all
}

// add adds an item to a thread.
func (c *backendChats) add(item chatItem) {
	for _, t := range c.threads {
		if t.ID == item.Thread {
			t.Items.Data = append(t.Items.Data, item)
		}
	}
}

// backendTurn is a turn while it is written.
type backendTurn struct {
	chats    *backendChats
	thread   string
	creates  bool // the thread
	question string
	pause    time.Duration

	asked, answer chatItem
	head          int // how many frames stand before the words
	words         []string
	number        int
}

// begin stores the user's message: OpenAI's server does so before it thinks about
// an answer.
func (t *backendTurn) begin() {
	c := t.chats
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.creates {
		c.threads = remember(c.threads, newThread(t.thread, t.asked.CreatedAt))
	}
	c.add(t.asked)
	c.asked++
	t.number = c.asked
	c.turns = remember(c.turns, Turn{Number: t.number, Thread: t.thread, State: turnWriting})
}

// end stores the answer as far as it was sent.
func (t *backendTurn) end(sent int, whole bool) {
	c := t.chats
	c.mu.Lock()
	defer c.mu.Unlock()
	stored := Turn{Number: t.number, Thread: t.thread, State: turnWhole}
	stored.Answer = strings.Join(t.words[:min(max(sent-t.head, 0), len(t.words))], "")
	if !whole {
		stored.State, stored.Hidden = turnCancelled, cancelNote
	}
	t.answer.Content = []chatPart{*assistantPart(stored.Answer)}
	c.add(t.answer)
	for i := range c.turns {
		if c.turns[i].Number == t.number {
			c.turns[i] = stored
		}
	}
}

// Turns returns the last 1000 turns of a simulated backend, oldest first.
func (s *Server) Turns() []Turn {
	b, ok := s.dialect.(*backend)
	if !ok {
		return nil
	}
	b.chats.mu.Lock()
	defer b.chats.mu.Unlock()
	return slices.Clone(b.chats.turns)
}
