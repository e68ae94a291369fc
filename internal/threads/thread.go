package threads

import (
	"slices"
	"strings"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Prefix begins the ids of stand-ins' own threads. No request that names one goes to
// a backend.
const Prefix = "thr_si_"

// Own reports whether a thread is a stand-in's own, by its id.
func Own(id string) bool { return strings.HasPrefix(id, Prefix) }

// Owner is whose a thread is.
type Owner struct {
	// Scope is the site and path.
	Scope string
	// Caller is a hash of who asks.
	Caller string
}

// Key is the key of a thread.
type Key struct {
	Owner

	ID string
}

// Thread is what is known of a thread.
type Thread struct {
	ID      string
	Title   string
	User    string // the account of its owner, "" for none
	Created time.Time
	Changed time.Time // by a turn
	Items   []Item    // oldest first

	// Stranger says that its owner is nobody a backend knows: it is forgotten before
	// others.
	Stranger bool

	// Spoken counts the answers of stand-ins in a backend's thread that its owner was
	// not yet told about there.
	Spoken int
}

// Item is a message in a thread.
type Item struct {
	ID    string
	At    time.Time
	Role  standin.Role
	Text  string         // as a model is to read it
	Input *chatkit.Input // of the user's: as it was written

	// Said says that a stand-in has answered it, or has said it.
	Said bool
	// Missed says that the handback has yet to be told of it.
	Missed bool
}

// Own reports whether the thread is a stand-in's own.
func (t *Thread) Own() bool { return Own(t.ID) }

// Find returns the index of an item, -1 for none.
func (t *Thread) Find(item string) int {
	return slices.IndexFunc(t.Items, func(i Item) bool { return i.ID == item })
}

// Missed returns the items that no backend has seen.
func (t *Thread) Missed() []Item {
	return slices.DeleteFunc(slices.Clone(t.Items), func(i Item) bool { return !i.Missed })
}

// History returns the conversation up to its last message of the user's, as a
// stand-in gets it. It is empty where there is none.
func (t *Thread) History() []standin.Message {
	end := len(t.Items)
	for end > 0 && t.Items[end-1].Role != standin.User {
		end--
	}
	all := make([]standin.Message, 0, end)
	for _, i := range t.Items[:end] {
		all = append(all, standin.Message{Role: i.Role, Text: i.Text})
	}
	return all
}

// Protocol returns an item as the protocol writes it.
func (i *Item) Protocol(thread string) chatkit.Item {
	if i.Role != standin.User {
		return chatkit.NewAssistantMessage(i.ID, thread, i.At, i.Text)
	}
	in := i.Input
	if in == nil {
		in = chatkit.TextInput(i.Text)
	}
	return chatkit.NewUserMessage(i.ID, thread, i.At, in)
}

// Protocol returns the items as the protocol writes them.
func Protocol(items []Item, thread string) []chatkit.Item {
	all := make([]chatkit.Item, len(items))
	for n := range items {
		all[n] = items[n].Protocol(thread)
	}
	return all
}

// clone returns a copy that shares no memory that anybody changes.
func (t *Thread) clone() *Thread {
	c := *t
	c.Items = slices.Clone(t.Items)
	return &c
}

// overhead is about what the bookkeeping of a thread or an item takes, in bytes.
const overhead = 256

// size is about how much memory a thread takes.
func (t *Thread) size() int {
	n := overhead + len(t.ID) + len(t.Title) + len(t.User)
	for i := range t.Items {
		n += t.Items[i].size()
	}
	return n
}

func (i *Item) size() int {
	n := overhead + len(i.ID) + len(i.Text)
	if i.Input == nil {
		return n
	}
	for _, p := range i.Input.Content {
		n += overhead + len(p.Text) + len(p.ID) + len(p.Data) + len(p.Group)
	}
	if i.Input.QuotedText != nil {
		n += len(*i.Input.QuotedText)
	}
	return n
}

// trim drops the oldest items of a thread that has too many, or too much in them. The
// last one stays.
func (t *Thread) trim(items, bytes int) {
	n := t.size()
	for len(t.Items) > 1 && (len(t.Items) > items || n > bytes) {
		n -= t.Items[0].size()
		t.Items = t.Items[1:]
	}
}
