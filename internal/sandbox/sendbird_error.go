package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// sendbirdError is the body of Sendbird's error answers. Most have status 400 or
// 500, and only the code distinguishes them.
type sendbirdError struct {
	Message string `json:"message"`
	Code    int    `json:"code,omitempty"`
	Error   bool   `json:"error"`
}

func (e sendbirdError) reply(status int) reply {
	e.Error = true
	return marshaled(status, e)
}

// sendbirdProblems are the errors of the status faults, each with the status
// that Sendbird really uses.
var sendbirdProblems = map[int]struct {
	status int
	err    sendbirdError
}{
	http.StatusBadRequest:          {400, sendbirdError{Code: 400111, Message: `Invalid value: "expires_at".`}},
	http.StatusUnauthorized:        {400, sendbirdError{Code: 400401, Message: "Invalid API token."}},
	http.StatusForbidden:           {400, sendbirdError{Code: 400300, Message: "User is deactivated."}},
	http.StatusNotFound:            {400, sendbirdError{Code: 400304, Message: `"Application" not found.`}},
	http.StatusConflict:            {400, sendbirdError{Code: 400202, Message: `"user_id" violates unique constraint.`}},
	http.StatusUnprocessableEntity: {400, sendbirdError{Code: 400105, Message: `Missing required parameter: "nickname".`}},
	http.StatusTooManyRequests:     {429, sendbirdError{Code: 500910, Message: "Too many requests (scope: app, limit: 5;w=1)."}},
	http.StatusInternalServerError: {500, sendbirdError{Code: 500901, Message: "Internal server error."}},
}

// problem returns an error in Sendbird's format. For a status that Sendbird does
// not use, it returns an error without a code, as a proxy in front of it might.
func (*sendbird) problem(status int) reply {
	if p, ok := sendbirdProblems[status]; ok {
		return p.err.reply(p.status)
	}
	return sendbirdError{Message: http.StatusText(status)}.reply(status)
}

// sendbirdOrder is the body of a request.
type sendbirdOrder map[string]json.RawMessage

// parseSendbird parses an object. An empty body is allowed.
func parseSendbird(body []byte) (o sendbirdOrder, bad *sendbirdError) {
	if len(body) > 0 && json.Unmarshal(body, &o) != nil {
		return nil, &sendbirdError{Code: 400403, Message: "Invalid JSON request body."}
	}
	return o, nil
}

// texts returns the fields with these names, which must be strings.
func (o sendbirdOrder) texts(names ...string) (map[string]string, *sendbirdError) {
	fields := make(map[string]string)
	for _, name := range names {
		var v *string
		switch raw := o[name]; {
		case len(raw) == 0:
			return nil, &sendbirdError{Code: 400105, Message: fmt.Sprintf("Missing required parameter: %q.", name)}
		case json.Unmarshal(raw, &v) != nil || v == nil:
			return nil, &sendbirdError{Code: 400100, Message: fmt.Sprintf("Unexpected type of %q, must be a string.", name)}
		}
		fields[name] = *v
	}
	return fields, nil
}

// end returns the requested expiry of a token, or def if there is none.
func (o sendbirdOrder) end(now, def time.Time) (time.Time, *sendbirdError) {
	raw := o["expires_at"]
	if len(raw) == 0 {
		return def, nil
	}
	var ms int64
	if json.Unmarshal(raw, &ms) != nil {
		return def, &sendbirdError{Code: 400101, Message: `Unexpected type of "expires_at", must be a number.`}
	}
	if at := time.UnixMilli(ms); at.After(now) {
		return at, nil
	}
	return def, &sendbirdError{Code: 400111, Message: `Invalid value: "expires_at".`}
}
