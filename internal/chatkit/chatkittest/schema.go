package chatkittest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
)

// id is an identifier. Ours have more than 32 bits.
type id struct{}

var longID = regexp.MustCompile(`^(thr_si|thr|msg)_[0-9a-z]{20,}$`)

func (id) check(v json.RawMessage) error {
	var s string
	if err := json.Unmarshal(v, &s); err != nil || s == "" {
		return fmt.Errorf("%s is no id", v)
	}
	return nil
}

// moment is a time, in UTC and ISO 8601.
type moment struct{}

func (moment) check(v json.RawMessage) error {
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return err
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err != nil || s[len(s)-1] != 'Z' || t.IsZero() {
		return fmt.Errorf("%q is no time in UTC", s)
	}
	return nil
}

var (
	anything  = of[any]{}
	anyText   = text(nil)
	yesOrNo   = of[bool]{}
	number    = of[int]{}
	metadata  = object{}
	noElement = list{text{"nothing may be here"}}

	status = byType{
		"active": object{must("type", anyText)},
		"locked": object{must("type", anyText), may("reason", anyText)},
		"closed": object{must("type", anyText), may("reason", anyText)},
	}
	outputText = object{must("annotations", noElement), must("text", anyText), must("type", text{"output_text"})}
	inputPart  = byType{
		"input_text": object{must("type", anyText), must("text", anyText)},
		"input_tag": object{must("type", anyText), must("id", anyText), must("text", anyText), must("data", of[map[string]any]{}),
			may("group", anyText), must("interactive", yesOrNo)},
	}
	inferenceOptions = object{may("tool_choice", object{must("id", anyText)}), may("model", anyText)}
	item             = byType{
		"user_message": itemOf(must("content", list{inputPart}), must("attachments", noElement), may("quoted_text", anyText),
			must("inference_options", inferenceOptions)),
		"assistant_message": itemOf(must("content", list{outputText})),
	}
	thread = object{
		may("title", anyText), must("id", id{}), must("created_at", moment{}), must("status", status),
		must("metadata", metadata), must("items", pageOf(item)),
	}
	update = byType{
		"assistant_message.content_part.added":      partOf(must("content", outputText)),
		"assistant_message.content_part.text_delta": partOf(must("delta", anyText)),
		"assistant_message.content_part.done":       partOf(must("content", outputText)),
	}
)

func itemOf(rest ...field) object {
	return append(object{must("id", id{}), must("thread_id", id{}), must("created_at", moment{}), must("type", anyText)}, rest...)
}

func partOf(rest field) object {
	return object{must("type", anyText), must("content_index", number), rest}
}

func pageOf(row shape) object {
	return object{must("data", list{row}), must("has_more", yesOrNo), may("after", id{})}
}

// events are the events that we send.
var events = byType{
	"thread.created":      object{must("type", anyText), must("thread", thread)},
	"thread.updated":      object{must("type", anyText), must("thread", thread)},
	"thread.item.added":   object{must("type", anyText), must("item", item)},
	"thread.item.updated": object{must("type", anyText), must("item_id", id{}), must("update", update)},
	"thread.item.done":    object{must("type", anyText), must("item", item)},
	"stream_options": object{must("type", anyText),
		must("stream_options", object{must("allow_cancel", yesOrNo)})},
	"notice": object{must("type", anyText), must("level", text{"info", "warning", "danger"}), must("message", anyText),
		may("title", anyText)},
	"error": object{must("type", anyText), must("code", text{"custom", "stream.error"}), may("message", anyText),
		must("allow_retry", yesOrNo)},
}

// answers are the answers of the operations that are no turns.
var answers = map[chatkit.Operation]shape{
	chatkit.ThreadsGetByID:          thread,
	chatkit.ThreadsUpdate:           thread,
	chatkit.ThreadsList:             pageOf(thread),
	chatkit.ItemsList:               pageOf(item),
	chatkit.ThreadsDelete:           object{},
	chatkit.ItemsFeedback:           object{},
	chatkit.ThreadsSyncCustomAction: object{may("updated_item", anything)},
}

// Event returns what is wrong with an event.
func Event(data []byte) error { return events.check(data) }

// Answer returns what is wrong with the answer to an operation that is no turn.
func Answer(op chatkit.Operation, body []byte) error {
	s, ok := answers[op]
	if !ok {
		return fmt.Errorf("%s has no answer of ours", op)
	}
	return s.check(body)
}
