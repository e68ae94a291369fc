package chatkit

import "bytes"

// maxOpen is how many items of a turn are followed at once. A turn has one or two.
const maxOpen = 64

// Progress is what the frames of a turn have said so far. The zero value is a turn
// without a frame.
type Progress struct {
	started bool
	content bool
	failed  bool
	thread  string
	user    string              // id of the user's message
	open    map[string]struct{} // items added and not done
	picker  picker
}

// Started reports whether there was a frame with data.
func (p *Progress) Started() bool { return p.started }

// Content reports whether there was a frame with content: what shows that somebody
// is at work. What OpenAI's server sends before it asks the application's code is
// none.
func (p *Progress) Content() bool { return p.content }

// Failed reports whether the last frame was an error event, which is how a server
// ends a turn that failed.
func (p *Progress) Failed() bool { return p.failed }

// Unfinished reports whether an item was added and is not done.
func (p *Progress) Unfinished() bool { return len(p.open) > 0 }

// Thread returns the id of the thread that the turn has created, "" for none.
func (p *Progress) Thread() string { return p.thread }

// Where an event says what is of interest.
const (
	eventType = iota
	itemID
	itemType
	updatedID
	threadID
)

var eventPaths = []path{
	eventType: {name: "type"},
	itemID:    {section: "item", name: "id"}, itemType: {section: "item", name: "type"},
	updatedID: {name: "item_id"},
	threadID:  {section: "thread", name: "id"},
}

// delta is how most frames of a turn begin, with and without the space that
// Python's json puts there.
var (
	delta       = []byte(`data: {"type":"thread.item.updated"`)
	spacedDelta = []byte(`data: {"type": "thread.item.updated"`)
)

// See takes the next frame.
func (p *Progress) See(frame []byte) {
	if p.content && (bytes.HasPrefix(frame, delta) || bytes.HasPrefix(frame, spacedDelta)) {
		p.failed = false
		return
	}
	data := Data(frame)
	if data == nil {
		return
	}
	p.picker.reset(eventPaths)
	p.picker.write(data)
	p.event(p.picker.got)
}

// event takes the next event. The user's message is no content: it is stored
// before anybody thinks about an answer.
func (p *Progress) event(got []string) {
	p.started, p.failed = true, false
	switch got[eventType] {
	case "thread.created":
		p.thread = got[threadID]
	case "thread.item.added":
		p.add(got[itemID])
		p.item(got)
	case "thread.item.done":
		delete(p.open, got[itemID])
		p.item(got)
	case "thread.item.replaced":
		p.item(got)
	case "thread.item.removed":
		delete(p.open, got[updatedID])
		p.content = true
	case "thread.item.updated":
		p.content = p.content || p.user == "" || got[updatedID] != p.user
	case "progress_update", "notice", "client_effect":
		p.content = true
	case "error":
		p.content, p.failed = true, true
	}
}

// add notes that an item was added.
func (p *Progress) add(id string) {
	if id == "" || len(p.open) >= maxOpen {
		return
	}
	if p.open == nil {
		p.open = make(map[string]struct{}, 1)
	}
	p.open[id] = struct{}{}
}

// item takes an event with an item.
func (p *Progress) item(got []string) {
	if got[itemType] == "user_message" {
		p.user = got[itemID]
		return
	}
	p.content = true
}
