package modelapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// apiError is what servers say of an error: under "error", or, as the events of the
// Responses API and some engines have it, at the top.
type apiError struct {
	Code json.RawMessage `json:"code"` // text or a number
	Type json.RawMessage `json:"type"`
}

// reasons are the codes and types of errors that are known, with what they mean beside
// a 2xx status. They are all that is shown of an error: the rest may hold anything.
var reasons = map[string]session.Reason{
	"rate_limit_exceeded":                  session.Status429,
	"rate_limit_error":                     session.Status429,
	"too_many_requests":                    session.Status429,
	"server_error":                         session.Status5xx,
	"internal_error":                       session.Status5xx,
	"internal_server_error":                session.Status5xx,
	"server_is_overloaded":                 session.Status5xx,
	"overloaded_error":                     session.Status5xx,
	"service_unavailable":                  session.Status5xx,
	"service_unavailable_error":            session.Status5xx,
	"api_error":                            session.Status5xx,
	"vector_store_timeout":                 session.Status5xx,
	"insufficient_quota":                   session.Misconfigured,
	"billing_hard_limit_reached":           session.Misconfigured,
	"billing_not_active":                   session.Misconfigured,
	"invalid_api_key":                      session.Misconfigured,
	"authentication_error":                 session.Misconfigured,
	"permission_error":                     session.Misconfigured,
	"model_not_found":                      session.Misconfigured,
	"not_found_error":                      session.Misconfigured,
	"unsupported_parameter":                session.Misconfigured,
	"unknown_parameter":                    session.Misconfigured,
	"unsupported_value":                    session.Misconfigured,
	"unsupported_country_region_territory": session.Misconfigured,
	"data_residency_mismatch":              session.Misconfigured,
	"context_length_exceeded":              session.Rejected,
	"invalid_prompt":                       session.Rejected,
	"bio_policy":                           session.Rejected,
	"cyber_policy":                         session.Rejected,
	"content_filter":                       session.Rejected,
	"content_policy_violation":             session.Rejected,
	"invalid_request_error":                session.Rejected,
	"badrequesterror":                      session.Rejected,
	"exceed_context_size_error":            session.Rejected,
	"invalid_value":                        session.Rejected,
	"responsible_ai_policy":                session.Rejected,
	"responsibleaipolicyviolation":         session.Rejected,
}

// known returns the first of the error's words that is known.
func (e *apiError) known() (word string, reason session.Reason) {
	for _, raw := range []json.RawMessage{e.Code, e.Type} {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			continue
		}
		word = strings.ToLower(text)
		if reason, ok := reasons[word]; ok {
			return word, reason
		}
	}
	return "", session.OK
}

// status returns the code where that is the number of an HTTP error.
func (e *apiError) status() int {
	var n int
	if json.Unmarshal(e.Code, &n) != nil || n < 400 || n > 599 {
		return 0
	}
	return n
}

// failure is the failure that an error in a stream stands for.
func (e *apiError) failure() error {
	word, reason := e.known()
	switch {
	case word != "":
		return &session.Failure{Reason: reason, KeyLimit: true, Answered: true, Err: fmt.Errorf("the model reports an error: %s", word)}
	case e.status() != 0:
		return &session.Failure{Status: e.status(), KeyLimit: true, Answered: true}
	}
	return session.Invalid("the model reports an error")
}

// errorIn returns the error that an event is, or that it holds, nil for none.
func errorIn(data []byte) *apiError {
	var event struct {
		apiError

		Error  json.RawMessage `json:"error"`
		Object string          `json:"object"`
	}
	if json.Unmarshal(data, &event) != nil {
		return nil
	}
	if said := bytes.TrimSpace(event.Error); len(said) > 0 && string(said) != "null" {
		e := new(apiError)
		_ = json.Unmarshal(said, e) // one that is only a text has no code
		return e
	}
	if string(event.Type) == `"error"` || event.Object == "error" {
		return &event.apiError
	}
	return nil
}

// Explain adds to the failure of a status what the body of the answer says: a limit
// that lasts until somebody pays is no limit to wait for.
func Explain(f *session.Failure, body []byte, err error) {
	e := errorIn(body)
	if err != nil || e == nil {
		return
	}
	word, reason := e.known()
	if word == "" {
		return
	}
	f.Err = fmt.Errorf("it says %s", word)
	if reason == session.Misconfigured { // for the rest the status says more
		f.Reason = reason
	}
}
