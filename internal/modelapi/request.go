package modelapi

import (
	"slices"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// Message is a message of a request.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ChatRequest is a request of Chat Completions.
type ChatRequest struct {
	Model               string         `json:"model"`
	Messages            []Message      `json:"messages"`
	Stream              bool           `json:"stream"`
	StreamOptions       *StreamOptions `json:"stream_options,omitempty"`
	MaxTokens           int            `json:"max_tokens,omitempty"`
	MaxCompletionTokens int            `json:"max_completion_tokens,omitempty"`
	SafetyIdentifier    string         `json:"safety_identifier,omitempty"`
	Store               *bool          `json:"store,omitempty"`
}

// InputMessage is a message of the Responses API. It may go without its type, but not
// every server can tell then what it is.
type InputMessage struct {
	Type string `json:"type"` // message
	Message
}

// Input returns messages for the Responses API.
func Input(messages []Message) []InputMessage {
	input := make([]InputMessage, len(messages))
	for i, m := range messages {
		input[i] = InputMessage{"message", m}
	}
	return input
}

// StreamOptions are those of both APIs, none of which has all.
type StreamOptions struct {
	IncludeUsage       bool  `json:"include_usage,omitempty"`
	IncludeObfuscation *bool `json:"include_obfuscation,omitempty"`
}

// ResponsesRequest is a request of the Responses API. It holds the whole conversation:
// many servers keep none, and none should keep this one.
type ResponsesRequest struct {
	Model            string         `json:"model"`
	Instructions     string         `json:"instructions,omitempty"`
	Input            []InputMessage `json:"input"`
	Stream           bool           `json:"stream"`
	StreamOptions    *StreamOptions `json:"stream_options,omitempty"`
	Store            bool           `json:"store"`
	MaxOutputTokens  int            `json:"max_output_tokens,omitempty"`
	SafetyIdentifier string         `json:"safety_identifier,omitempty"`
}

// Messages returns a conversation as a model takes it: user and assistant in turn,
// since some refuse two messages of one side, beginning with the user, and at most
// limit bytes of text, without the oldest messages where there are more. It returns nil
// where the last message alone is longer, or is none of the user's.
func Messages(history []standin.Message, limit int) []Message {
	var kept []Message // latest first
	for _, m := range slices.Backward(history) {
		role, text := "user", strings.ToValidUTF8(m.Text, "\ufffd")
		if m.Role == standin.Assistant {
			role = "assistant"
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if limit -= len(text); limit < 0 {
			break
		}
		if n := len(kept); n > 0 && kept[n-1].Role == role {
			kept[n-1].Content = text + "\n\n" + kept[n-1].Content
			continue
		}
		kept = append(kept, Message{role, text})
	}
	return inOrder(kept)
}

// inOrder returns messages oldest first, from the first and to the last of the user's.
func inOrder(latest []Message) []Message {
	if len(latest) == 0 || latest[0].Role != "user" {
		return nil
	}
	if latest[len(latest)-1].Role != "user" {
		latest = latest[:len(latest)-1]
	}
	slices.Reverse(latest)
	return latest
}
