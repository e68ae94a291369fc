package openaiapi

import (
	"encoding/json"
	"net/http"
)

// ErrorBody returns an error in the format that OpenAI's SDKs read:
// {"error":{"message","type","param","code"}}. An empty param or code is null.
func ErrorBody(status int, message, param, code string) []byte {
	var e struct {
		Error struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		} `json:"error"`
	}
	e.Error.Message, e.Error.Type = message, errorType(status)
	if param != "" {
		e.Error.Param = &param
	}
	if code != "" {
		e.Error.Code = &code
	}
	out, err := json.Marshal(e)
	if err != nil { // strings always marshal
		return nil
	}
	return out
}

// errorType returns the error type for a status.
func errorType(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status == http.StatusServiceUnavailable:
		return "service_unavailable_error"
	case status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}
