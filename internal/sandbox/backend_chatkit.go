package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// backendChatKit is the path where the simulated backend speaks ChatKit's
// custom-server protocol.
const backendChatKit = "/chatkit"

// turnPause is the time between two frames of a turn: long enough to lose the
// connection in between.
const turnPause = 120 * time.Millisecond

// turnOrder is a request of the protocol. The pointers tell what is missing.
type turnOrder struct {
	Type   string `json:"type"`
	Params struct {
		Thread string `json:"thread_id"`
		Input  *struct {
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
			Attachments *[]string                   `json:"attachments"`
			Inference   *map[string]json.RawMessage `json:"inference_options"`
		} `json:"input"`
	} `json:"params"`
}

// chat answers a request of the protocol. It asks for no key: neither does OpenAI's
// server.
func (b *backend) chat(req *Recorded, _ Fault) reply {
	var o turnOrder
	if err := json.Unmarshal(req.Body, &o); err != nil {
		return marshaled(http.StatusUnprocessableEntity, map[string]any{"detail": []invalid{malformed(req.Body, err)}})
	}
	switch o.Type {
	case "threads.create", "threads.add_user_message":
		return b.turn(&o, req.Body)
	case "threads.get_by_id":
		thread := b.chats.thread(o.Params.Thread)
		if thread == nil {
			return b.problem(http.StatusNotFound)
		}
		return marshaled(http.StatusOK, thread)
	case "threads.list":
		return marshaled(http.StatusOK, b.chats.list())
	default:
		return b.problem(http.StatusNotImplemented)
	}
}

// turn answers a message with a stream. What OpenAI's server does with a thread
// that it does not know is an empty one.
func (b *backend) turn(o *turnOrder, body []byte) reply {
	in := o.Params.Input
	if in == nil || in.Attachments == nil || in.Inference == nil {
		return marshaled(http.StatusUnprocessableEntity, map[string]any{"detail": []invalid{missing(body, "body", "params", "input")}})
	}
	t := &backendTurn{chats: &b.chats, thread: o.Params.Thread, pause: b.pause}
	if o.Type == "threads.create" {
		t.thread, t.creates = "thr_"+token(8), true
	} else if b.chats.thread(t.thread) == nil {
		return reply{status: http.StatusOK, contentType: typeEvents}
	}
	for _, part := range in.Content {
		t.question += part.Text
	}
	return reply{status: http.StatusOK, contentType: typeEvents, body: t.frames(), turn: t}
}

// answerTo returns the words of the answer to a message.
func answerTo(message string) []string {
	if len(message) > longestEcho {
		message = strings.ToValidUTF8(message[:longestEcho], "") + "…"
	}
	return strings.SplitAfter("You said: “"+message+"”. This answer takes the simulated backend a few seconds, word by word. "+
		"It stores the answer when it is complete. If its connection breaks before that, it believes that you have cancelled, and stores only half of it.", " ")
}

// frames returns the frames of the turn, as OpenAI's server writes them, and notes
// which of them are words of the answer.
func (t *backendTurn) frames() []byte {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000")
	t.asked = chatItem{
		ID: "msg_" + token(8), Thread: t.thread, CreatedAt: now, Type: "user_message", Attachments: []string{},
		Inference: map[string]string{}, Content: []chatPart{{Type: "input_text", Text: t.question}},
	}
	t.answer = chatItem{ID: "msg_" + token(8), Thread: t.thread, CreatedAt: now, Type: "assistant_message", Content: []chatPart{}}
	var all []chatEvent
	if t.creates {
		all = append(all, chatEvent{Type: "thread.created", Thread: newThread(t.thread, now)})
	}
	all = append(all, chatEvent{Type: "thread.item.done", Item: &t.asked},
		chatEvent{Type: "stream_options", Options: map[string]bool{"allow_cancel": true}},
		chatEvent{Type: "thread.item.added", Item: &t.answer}, t.updated("added", assistantPart(""), ""))
	t.head, t.words = len(all), answerTo(t.question)
	for _, word := range t.words {
		all = append(all, t.updated("text_delta", nil, word))
	}
	text := assistantPart(strings.Join(t.words, ""))
	full := t.answer
	full.Content = []chatPart{*text}
	return marshalFrames(append(all, t.updated("done", text, ""), chatEvent{Type: "thread.item.done", Item: &full}))
}

// updated is an event about the answer's only part.
func (t *backendTurn) updated(kind string, content *chatPart, delta string) chatEvent {
	return chatEvent{Type: "thread.item.updated", ItemID: t.answer.ID, Update: &chatUpdate{
		Type: "assistant_message.content_part." + kind, Content: content, Delta: delta,
	}}
}

func assistantPart(text string) *chatPart {
	return &chatPart{Type: "output_text", Annotations: []string{}, Text: text}
}
