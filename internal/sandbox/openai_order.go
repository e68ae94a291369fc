package sandbox

import (
	"encoding/json"
	"math"
	"mime"
	"strings"
	"unicode/utf8"
)

// Limits and defaults of the published schema.
const (
	maxExpirySeconds  = 600
	maxStateVariables = 64
	maxStateKey       = 64  // characters
	maxFileMB         = 512 // also the default
	defaultFiles      = 10
	defaultRate       = 10 // requests per minute
	anchorCreated     = "created_at"
)

// chatOrder is a checked request for a session, defaults filled in.
type chatOrder struct {
	user     string
	workflow chatWorkflow
	seconds  int64 // of expires_after; 0 if the request has none
	rate     int64
	config   chatConfig
}

// parseOrder checks a request against the published schema.
func parseOrder(req *Recorded) (chatOrder, *openAIError) {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || kind != typeJSON {
		return chatOrder{}, &openAIError{
			Message: "Unsupported content type. This API method only accepts 'application/json' requests.",
		}
	}
	var bad *openAIError
	top := object{bad: &bad}
	if err := json.Unmarshal(req.Body, &top.fields); err != nil || top.fields == nil {
		return chatOrder{}, &openAIError{Message: "We could not parse the JSON body of your request."}
	}
	order := chatOrder{rate: defaultRate, config: defaultChatConfig(), workflow: defaultChatWorkflow()}
	top.only("user", "workflow", "expires_after", "rate_limits", "chatkit_configuration")
	top.need("workflow", "user")
	top.filled("user", &order.user)
	order.readWorkflow(top.inside("workflow", "id", "version", "state_variables", "tracing"))
	order.readExpiry(top)
	top.inside("rate_limits", "max_requests_per_1_minute").
		count("max_requests_per_1_minute", &order.rate, math.MaxInt64)
	order.readConfig(top.inside("chatkit_configuration", "automatic_thread_titling", "file_upload", "history"))
	return order, bad
}

// filled reads a string that must not be empty.
func (o object) filled(name string, to *string) {
	o.text(name, to)
	if o.has(name) && *to == "" {
		o.fail(&openAIError{
			Message: "Invalid '" + o.path + name + "': empty string. " +
				"Expected a string with minimum length 1, but got an empty string instead.",
			Param: o.path + name, Code: "empty_string",
		})
	}
}

// readWorkflow reads workflow. It accepts the version "latest", as OpenAI does:
// there only the chat that follows fails.
func (c *chatOrder) readWorkflow(o object) {
	o.need("id")
	o.filled("id", &c.workflow.ID)
	if o.has("version") {
		c.workflow.Version = new(string)
		o.text("version", c.workflow.Version)
	}
	if raw, ok := o.fields["state_variables"]; ok {
		c.workflow.StateVariables = stateVariables(o, raw)
	}
	o.inside("tracing", "enabled").enabled(&c.workflow.Tracing.Enabled)
}

// stateVariables reads a map of scalars.
func stateVariables(o object, raw json.RawMessage) map[string]json.RawMessage {
	const name = "state_variables"
	var vars map[string]json.RawMessage
	if err := json.Unmarshal(raw, &vars); err != nil || vars == nil {
		o.fail(invalidType(o.path+name, "an object"))
	}
	if len(vars) > maxStateVariables {
		o.fail(invalidValue(o.path+name, "at most 64 entries"))
	}
	for key, value := range vars {
		if utf8.RuneCountInString(key) > maxStateKey {
			o.fail(invalidValue(o.path+name, "keys of at most 64 characters"))
		}
		if !scalar(value) {
			o.fail(invalidType(o.path+name+"."+key, "a string, number or boolean"))
		}
	}
	return vars
}

// scalar reports whether raw, a valid JSON value without surrounding space, is a
// string, number or boolean.
func scalar(raw json.RawMessage) bool {
	return len(raw) > 0 && !strings.ContainsRune("{[n", rune(raw[0]))
}

// readExpiry reads expires_after. Both of its fields are required.
func (c *chatOrder) readExpiry(top object) {
	if !top.has("expires_after") {
		return
	}
	o := top.inside("expires_after", "anchor", "seconds")
	o.need("anchor", "seconds")
	var anchor string
	o.text("anchor", &anchor)
	if anchor != anchorCreated {
		o.fail(invalidValue(o.path+"anchor", "'created_at'"))
	}
	o.count("seconds", &c.seconds, maxExpirySeconds)
}

// readConfig reads chatkit_configuration over its defaults.
func (c *chatOrder) readConfig(o object) {
	o.inside("automatic_thread_titling", "enabled").enabled(&c.config.Titling.Enabled)
	files := o.inside("file_upload", "enabled", "max_file_size", "max_files")
	files.enabled(&c.config.Files.Enabled)
	files.count("max_file_size", &c.config.Files.MaxFileSize, maxFileMB)
	files.count("max_files", &c.config.Files.MaxFiles, math.MaxInt64)
	history := o.inside("history", "enabled", "recent_threads")
	history.enabled(&c.config.History.Enabled)
	if history.has("recent_threads") {
		c.config.History.RecentThreads = new(int64)
		history.count("recent_threads", c.config.History.RecentThreads, math.MaxInt64)
	}
}
