package sandbox

import (
	"fmt"
	"net/http"
)

// openAIError is the "error" object of OpenAI's error answers. Empty Param and
// Code are sent as null, an empty Type as "invalid_request_error".
type openAIError struct{ Message, Type, Param, Code string }

// reply wraps the error as the body of an answer.
func (e openAIError) reply(status int) reply {
	if e.Type == "" {
		e.Type = "invalid_request_error"
	}
	return marshaled(status, map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": orNull(e.Param), "code": orNull(e.Code),
	}})
}

// orNull returns s, or nil for "".
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// openAIProblems are the errors of the status faults.
var openAIProblems = map[int]openAIError{
	http.StatusUnauthorized: {Message: "Incorrect API key provided.", Code: "invalid_api_key"},
	http.StatusForbidden: {
		Message: "Country, region, or territory not supported",
		Type:    "request_forbidden", Code: "unsupported_country_region_territory",
	},
	http.StatusTooManyRequests: {
		Message: "Rate limit reached for requests. Please try again in 1s.",
		Type:    "requests", Code: "rate_limit_exceeded",
	},
	http.StatusInternalServerError: {
		Message: "The server had an error while processing your request. Sorry about that!",
		Type:    "server_error",
	},
}

// problem returns an error in OpenAI's format.
func (*openAI) problem(status int) reply {
	if status == http.StatusNotFound {
		return unknownWorkflow("wf_unknown")
	}
	if e, ok := openAIProblems[status]; ok {
		return e.reply(status)
	}
	e := openAIError{Message: http.StatusText(status)}
	if status >= http.StatusInternalServerError {
		e.Type = "server_error"
	}
	return e.reply(status)
}

// unknownWorkflow returns the error for an unknown workflow. A key of a different
// project gets it too.
func unknownWorkflow(id string) reply {
	return openAIError{Message: fmt.Sprintf("Workflow with id '%s' not found.", id)}.reply(http.StatusNotFound)
}

// missingParam says that a required parameter is missing.
func missingParam(param string) *openAIError {
	return &openAIError{
		Message: fmt.Sprintf("Missing required parameter: '%s'.", param),
		Param:   param, Code: "missing_required_parameter",
	}
}

// unknownParam says that a parameter does not exist.
func unknownParam(param string) *openAIError {
	return &openAIError{
		Message: fmt.Sprintf("Unknown parameter: '%s'.", param),
		Param:   param, Code: "unknown_parameter",
	}
}

// invalidType says that a parameter has the wrong type.
func invalidType(param, want string) *openAIError {
	return &openAIError{
		Message: fmt.Sprintf("Invalid type for '%s': expected %s.", param, want),
		Param:   param, Code: "invalid_type",
	}
}

// invalidValue says that a parameter has the right type but a wrong value.
func invalidValue(param, want string) *openAIError {
	return &openAIError{
		Message: fmt.Sprintf("Invalid value for '%s': expected %s.", param, want),
		Param:   param, Code: "invalid_value",
	}
}
