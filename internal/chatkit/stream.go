package chatkit

// The frames of a stream, in the order of a turn.

// ThreadCreated begins the turn that creates a thread.
func ThreadCreated(t Thread) []byte { return threadEvent("thread.created", t) }

// ThreadUpdated says that the title or status of a thread has changed. It has no
// items.
func ThreadUpdated(t Thread) []byte {
	t.Items = Page[Item]{Data: []Item{}}
	return threadEvent("thread.updated", t)
}

func threadEvent(kind string, t Thread) []byte {
	return AppendFrame(nil, struct {
		Type   string `json:"type"`
		Thread Thread `json:"thread"`
	}{kind, t})
}

// StreamOptions comes before the answer.
func StreamOptions(allowCancel bool) []byte {
	type options struct {
		AllowCancel bool `json:"allow_cancel"`
	}
	return AppendFrame(nil, struct {
		Type    string  `json:"type"`
		Options options `json:"stream_options"`
	}{"stream_options", options{allowCancel}})
}

// ItemAdded begins an item.
func ItemAdded(i Item) []byte { return itemEvent("thread.item.added", i) }

// ItemDone ends one.
func ItemDone(i Item) []byte { return itemEvent("thread.item.done", i) }

func itemEvent(kind string, i Item) []byte {
	return AppendFrame(nil, struct {
		Type string `json:"type"`
		Item Item   `json:"item"`
	}{kind, i})
}

// PartAdded begins the text of an answer.
func PartAdded(item string) []byte { return partEvent(item, "added", "") }

// PartDone ends it, with all of the text.
func PartDone(item, text string) []byte { return partEvent(item, "done", text) }

const contentPart = "assistant_message.content_part."

func partEvent(item, what, text string) []byte {
	return updated(item, struct {
		Type    string     `json:"type"`
		Index   int        `json:"content_index"`
		Content outputText `json:"content"`
	}{contentPart + what, 0, newOutputText(text)})
}

// TextDelta is more of the text of an answer.
func TextDelta(item, delta string) []byte {
	return updated(item, struct {
		Type  string `json:"type"`
		Index int    `json:"content_index"`
		Delta string `json:"delta"`
	}{contentPart + "text_delta", 0, delta})
}

func updated(item string, update any) []byte {
	return AppendFrame(nil, struct {
		Type   string `json:"type"`
		ItemID string `json:"item_id"`
		Update any    `json:"update"`
	}{"thread.item.updated", item, update})
}
