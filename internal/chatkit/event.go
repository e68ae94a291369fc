package chatkit

import (
	"crypto/rand"
	"strings"
	"time"
)

// The codes of an [ErrorEvent]. The official types take no others.
const (
	// StreamError is an error without a message of its own.
	StreamError = "stream.error"
	// CustomError is one whose message is shown as it stands.
	CustomError = "custom"
)

// ErrorEvent ends a turn that failed.
type ErrorEvent struct {
	Code       string // [StreamError] or [CustomError], which "" stands for
	Message    string // Markdown, for the person who chats
	AllowRetry bool
}

// Frame returns the frame of the event.
func (e ErrorEvent) Frame() []byte {
	if e.Code == "" {
		e.Code = CustomError
	}
	return AppendFrame(nil, struct {
		Type       string `json:"type"`
		Code       string `json:"code"`
		Message    string `json:"message,omitempty"`
		AllowRetry bool   `json:"allow_retry"`
	}{"error", e.Code, e.Message, e.AllowRetry})
}

// Level is how urgent a notice is.
type Level string

// The levels.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Danger  Level = "danger"
)

// NoticeEvent is shown beside the messages of a thread.
type NoticeEvent struct {
	Level   Level
	Message string // Markdown
	Title   string // may be ""
}

// Frame returns the frame of the event.
func (e NoticeEvent) Frame() []byte {
	return AppendFrame(nil, struct {
		Type    string `json:"type"`
		Level   Level  `json:"level"`
		Message string `json:"message"`
		Title   string `json:"title,omitempty"`
	}{"notice", e.Level, e.Message, e.Title})
}

// NewID returns a random id with a prefix, such as thr_ or msg_. It has at least
// 128 random bits; OpenAI's server has 32, which meet by accident.
func NewID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// Time returns a time as the protocol writes it.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
