package chatkit

import "time"

// Status says what can be done in a thread.
type Status struct {
	Type   StatusType `json:"type"`
	Reason string     `json:"reason,omitempty"` // shown to the user
}

// StatusType is the type of a [Status].
type StatusType string

// The types of a status. The composer of a locked thread is disabled; that of a
// closed one is replaced by a banner.
const (
	Active StatusType = "active"
	Locked StatusType = "locked"
	Closed StatusType = "closed"
)

// Thread is a thread as the protocol writes it.
type Thread struct {
	Title     string     `json:"title,omitempty"`
	ID        string     `json:"id"`
	CreatedAt string     `json:"created_at"`
	Status    Status     `json:"status"`
	Metadata  struct{}   `json:"metadata"`
	Items     Page[Item] `json:"items"`
}

// NewThread returns a thread without items.
func NewThread(id string, created time.Time) Thread {
	return Thread{ID: id, CreatedAt: Time(created), Status: Status{Type: Active}, Items: Page[Item]{Data: []Item{}}}
}

// DefaultPage is how many rows a page has where nobody says.
const DefaultPage = 20

// Page is a part of a list.
type Page[T any] struct {
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
	After   string `json:"after,omitempty"` // the id of the last row, where there are more
}

// PageOf returns the part of a list, oldest first, that a request wants. id returns
// the id of a row. A row that is not there, because it was deleted, begins the list
// anew.
func PageOf[T any](rows []T, r PageRequest, id func(T) string) Page[T] {
	at := func(i int) T {
		if r.Asc {
			return rows[i]
		}
		return rows[len(rows)-1-i]
	}
	from := 0
	for i := range rows {
		if r.After != "" && id(at(i)) == r.After {
			from = i + 1
		}
	}
	limit := r.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	to := min(from+limit, len(rows))
	p := Page[T]{Data: make([]T, 0, to-from), HasMore: to < len(rows)}
	for i := from; i < to; i++ {
		p.Data = append(p.Data, at(i))
	}
	if p.HasMore {
		p.After = id(p.Data[len(p.Data)-1])
	}
	return p
}

// Item is an item of a thread: a [UserMessage] or an [AssistantMessage].
type Item interface{ itemID() string }

// ItemID returns the id of an item.
func ItemID(i Item) string { return i.itemID() }

// itemHead is how every item begins.
type itemHead struct {
	ID        string `json:"id"`
	ThreadID  string `json:"thread_id"`
	CreatedAt string `json:"created_at"`
	Type      string `json:"type"`
}

func (h itemHead) itemID() string { return h.ID }

// UserMessage is what a user has written.
type UserMessage struct {
	itemHead

	Content     []InputPart      `json:"content"`
	Attachments []struct{}       `json:"attachments"`
	QuotedText  *string          `json:"quoted_text,omitempty"`
	Options     InferenceOptions `json:"inference_options"`
}

// NewUserMessage returns a message of the user's. Attachments are none: who stands in
// has no place for files.
func NewUserMessage(id, thread string, at time.Time, in *Input) UserMessage {
	m := UserMessage{itemHead: itemHead{id, thread, Time(at), "user_message"}, Content: in.Content,
		Attachments: []struct{}{}, QuotedText: in.QuotedText, Options: in.Options}
	if m.Content == nil {
		m.Content = []InputPart{}
	}
	return m
}

// AssistantMessage is an answer.
type AssistantMessage struct {
	itemHead

	Content []outputText `json:"content"`
}

// outputText is a text of the assistant's.
type outputText struct {
	Annotations []struct{} `json:"annotations"`
	Text        string     `json:"text"`
	Type        string     `json:"type"`
}

func newOutputText(text string) outputText {
	return outputText{[]struct{}{}, text, "output_text"}
}

// NewAssistantMessage returns an answer with a text, "" for one that begins.
func NewAssistantMessage(id, thread string, at time.Time, text string) AssistantMessage {
	m := AssistantMessage{itemHead{id, thread, Time(at), "assistant_message"}, []outputText{}}
	if text != "" {
		m.Content = append(m.Content, newOutputText(text))
	}
	return m
}
