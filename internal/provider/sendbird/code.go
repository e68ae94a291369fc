package sendbird

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Codes that decide what comes next.
const (
	codeNotFound = 400201
	codeExists   = 400202
)

// meaning is what a code stands for: a status, and a reason where the status
// alone would be read as another one.
type meaning struct {
	status int
	reason session.Reason
	words  string
}

// What whole groups of codes stand for.
var (
	badParameter = meaning{http.StatusBadRequest, session.Rejected, "parameter is refused"}
	serverError  = meaning{http.StatusInternalServerError, "", "internal error"}
)

// meanings are the codes of the API's page on errors that have a meaning of
// their own. Those of the caller are 400, whatever status they come with; those
// of the configuration are of the default list of fallback_on.
var meanings = map[int]meaning{
	codeNotFound: {http.StatusBadRequest, session.Rejected, "user is not known"},
	400300:       {http.StatusBadRequest, session.Rejected, "user is deactivated"},
	400301:       {http.StatusBadRequest, session.Rejected, "user was deleted"},
	400305:       {http.StatusBadRequest, session.Rejected, "user id is too long"},
	400403:       {http.StatusBadRequest, session.Rejected, "request is no valid JSON"},
	400108:       {http.StatusUnauthorized, session.Misconfigured, "request is not authorized"},
	400401:       {http.StatusUnauthorized, session.Misconfigured, "API token is not valid"},
	400306:       {http.StatusUnauthorized, session.Misconfigured, "quota is used up"},
	400304:       {http.StatusNotFound, session.Misconfigured, "application is not known"},
	403100:       {http.StatusNotFound, session.Misconfigured, "application is not available"},
	500910:       {http.StatusTooManyRequests, "", "too many requests"},
}

// meaningOf finds the meaning of a code, false where it has none.
func meaningOf(code int) (meaning, bool) {
	switch m, ok := meanings[code]; {
	case ok:
		return m, true
	case code/100 == 4001:
		return badParameter, true
	case code/100 == 5009:
		return serverError, true
	}
	return meaning{}, false
}

// explain says what an error answer means by the code in its body, and returns
// the code, 0 where there is none. What has no code that is known is left to its
// status. err tells that the body broke off.
func explain(f *session.Failure, body []byte, err error) (code int) {
	// Fractions of a second are what is left of a window that everybody shares.
	f.RetryAfter = (f.RetryAfter + time.Second - 1).Truncate(time.Second)
	if err != nil {
		if f.Status == http.StatusBadRequest { // which alone says nothing here
			f.Status, f.Err = 0, fmt.Errorf("reading answer: %w", err)
		}
		return 0
	}
	code = codeOf(body)
	if code == 0 || f.Status < 400 || f.Status == http.StatusTooManyRequests {
		return 0
	}
	m, known := meaningOf(code)
	if !known {
		f.Err = fmt.Errorf("sendbird error %d", code)
		return code
	}
	f.Err = fmt.Errorf("sendbird error %d with status %d: %s", code, f.Status, m.words)
	f.Reason = m.reason
	if m.status != http.StatusInternalServerError || f.Status < m.status {
		f.Status = m.status // else a 503 stays one
	}
	return code
}

// codeOf is the code of an error answer, 0 where it has none: codes have six
// digits, and others are not those of the API.
func codeOf(body []byte) int {
	var e struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &e) != nil || e.Code < 100_000 || e.Code > 999_999 {
		return 0
	}
	return e.Code
}
