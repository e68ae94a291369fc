package endpoint

import (
	"fmt"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/provider"
)

// Endpoint is where a model is, and what it is told.
type Endpoint struct {
	// The base address of the API, which usually ends in /v1. Required.
	URL string `json:"url,omitempty"`

	// The key sent as `Authorization: Bearer`. Use `{env.*}` or `{file.*}`: a
	// key written here in full can be read in /config/. Default: none is sent.
	Key string `json:"key,omitempty"`

	// The name of the model. Required.
	Name string `json:"model,omitempty"`

	// What the model is told before the conversation. Default: that it stands in, sees
	// nothing but this conversation and has no tools, and must not claim otherwise.
	// Hazard: other instructions replace all of that.
	Instructions string `json:"instructions,omitempty"`

	// The most tokens of an answer. Models that reason first use up some of them; an
	// answer that has no text by then is a failure. Default: 2048.
	MaxTokens int `json:"max_tokens,omitempty"`

	// How much of a conversation the model gets, in bytes of text: the latest messages
	// that fit. A message that is longer by itself is not answered. Default: 32 KiB,
	// about 8,000 tokens.
	History int64 `json:"history,omitempty"`

	// Which fields of a request the server takes. "openai": all of OpenAI's that are of
	// use, among them safety_identifier, a keyed hash of the caller. "compatible": those
	// that most others take. "plain": the least there is, for servers that refuse a
	// field which they do not know. Default: openai for OpenAI's own hosts, else
	// compatible.
	Dialect string `json:"dialect,omitempty"`

	// The title of the notice that stands before each answer. Default: "A stand-in
	// answers".
	Title string `json:"title,omitempty"`

	// The words of that notice, in Markdown. Default: that the assistant is not
	// available, and what the stand-in cannot see and do.
	Words string `json:"notice,omitempty"`

	upstream.Transport

	client              provider.Client
	model, instructions string
	title, words        string
	dialect             string
}

// The dialects.
const (
	openAI     = "openai"
	compatible = "compatible"
	plain      = "plain"
)

const (
	defaultMaxTokens = 2048
	defaultHistory   = 32 << 10
	minHistory       = 1 << 10
	maxHistory       = 16 << 20
)

// Validate returns an error for invalid settings.
func (e *Endpoint) Validate() error {
	switch e.Dialect {
	case "", openAI, compatible, plain:
	default:
		return fmt.Errorf("invalid dialect %q (want %s, %s or %s)", e.Dialect, openAI, compatible, plain)
	}
	switch {
	case e.MaxTokens < 0:
		return fmt.Errorf("max_tokens: %d is negative", e.MaxTokens)
	case e.History != 0 && (e.History < minHistory || e.History > maxHistory):
		return fmt.Errorf("history: %d is not between %d and %d bytes", e.History, minHistory, maxHistory)
	}
	return nil
}

// Notice implements a part of a stand-in.
func (e *Endpoint) Notice() (title, message string) { return e.title, e.words }

// Model implements a part of a stand-in.
func (*Endpoint) Model() bool { return true }
