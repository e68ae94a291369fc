package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// States of a session.
const (
	statusActive    = "active"
	statusExpired   = "expired"
	statusCancelled = "cancelled"
)

// chatSession is OpenAI's ChatSessionResource. Every field is required.
type chatSession struct {
	ID                    string       `json:"id"`
	Object                string       `json:"object"`
	ClientSecret          any          `json:"client_secret"`
	ExpiresAt             int64        `json:"expires_at"` // unix seconds
	Workflow              chatWorkflow `json:"workflow"`
	User                  string       `json:"user"`
	RateLimits            chatLimits   `json:"rate_limits"`
	MaxRequestsPer1Minute int64        `json:"max_requests_per_1_minute"`
	Status                string       `json:"status"`
	Config                chatConfig   `json:"chatkit_configuration"`
}

// chatWorkflow is the workflow of a session. Fields absent in the request are
// null.
type chatWorkflow struct {
	ID             string                     `json:"id"`
	Version        *string                    `json:"version"`
	StateVariables map[string]json.RawMessage `json:"state_variables"`
	Tracing        chatSwitch                 `json:"tracing"`
}

// chatLimits are the session's rate limits.
type chatLimits struct {
	MaxRequestsPer1Minute int64 `json:"max_requests_per_1_minute"`
}

// chatConfig are the session's features.
type chatConfig struct {
	Titling chatSwitch  `json:"automatic_thread_titling"`
	Files   chatFiles   `json:"file_upload"`
	History chatHistory `json:"history"`
}

// chatSwitch is a feature that is on or off.
type chatSwitch struct {
	Enabled bool `json:"enabled"`
}

// chatFiles are the upload limits; the size is in megabytes.
type chatFiles struct {
	Enabled     bool  `json:"enabled"`
	MaxFileSize int64 `json:"max_file_size"`
	MaxFiles    int64 `json:"max_files"`
}

// chatHistory has null for unlimited threads.
type chatHistory struct {
	Enabled       bool   `json:"enabled"`
	RecentThreads *int64 `json:"recent_threads"`
}

// defaultChatWorkflow has tracing on.
func defaultChatWorkflow() chatWorkflow { return chatWorkflow{Tracing: chatSwitch{Enabled: true}} }

// defaultChatConfig is the configuration used if the request has none.
func defaultChatConfig() chatConfig {
	return chatConfig{
		Titling: chatSwitch{Enabled: true},
		Files:   chatFiles{MaxFileSize: maxFileMB, MaxFiles: defaultFiles},
		History: chatHistory{Enabled: true},
	}
}

// newChatSession creates the requested session. It also returns the session's
// secret as text.
func newChatSession(c chatOrder, f Fault, now time.Time) (chatSession, string) {
	lifetime := openAILifetime
	if c.seconds > 0 {
		lifetime = time.Duration(c.seconds) * time.Second
	}
	end, status := ends(now, lifetime, f).Unix(), statusActive
	if f == Expired {
		status = statusExpired
	}
	value, text := spoil(chatSecret(end), f)
	return chatSession{
		ID: "cksess_" + token(24), Object: "chatkit.session",
		ClientSecret: value, ExpiresAt: end,
		Workflow: c.workflow, User: c.user,
		RateLimits: chatLimits{c.rate}, MaxRequestsPer1Minute: c.rate,
		Status: status, Config: c.config,
	}, text
}

// chatSecret returns a secret in OpenAI's format, which contains the end of the
// session in unix seconds.
func chatSecret(end int64) string {
	ending := fmt.Sprintf(`{"expires_at": %d}`, end)
	return "ek_" + token(24) + "_00" + base64.StdEncoding.EncodeToString([]byte(ending))
}
