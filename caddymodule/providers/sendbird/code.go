package sendbird

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// Codes that decide the next step.
const (
	codeNotFound = 400201
	codeExists   = 400202
)

// meaning is what a code stands for: a status, and a reason if the status alone
// would be classified differently.
type meaning struct {
	status int
	reason session.Reason
	words  string
}

// Meanings of whole groups of codes.
var (
	badParameter = meaning{http.StatusBadRequest, session.Rejected, "parameter is refused"}
	serverError  = meaning{http.StatusInternalServerError, "", "internal error"}
)

// meanings maps codes from the API's error page to their meaning. The caller's
// errors become 400, whatever status they come with; configuration errors become
// a status in the default list of fallback_on.
var meanings = map[int]meaning{
	codeNotFound: {http.StatusBadRequest, session.Rejected, "user is unknown"},
	400300:       {http.StatusBadRequest, session.Rejected, "user is deactivated"},
	400301:       {http.StatusBadRequest, session.Rejected, "user was deleted"},
	400305:       {http.StatusBadRequest, session.Rejected, "user id is too long"},
	400403:       {http.StatusBadRequest, session.Rejected, "request is not valid JSON"},
	400108:       {http.StatusUnauthorized, session.Misconfigured, "request is not authorized"},
	400401:       {http.StatusUnauthorized, session.Misconfigured, "API token is not valid"},
	400306:       {http.StatusUnauthorized, session.Misconfigured, "quota is used up"},
	400304:       {http.StatusNotFound, session.Misconfigured, "application is unknown"},
	403100:       {http.StatusNotFound, session.Misconfigured, "application is not available"},
	500910:       {http.StatusTooManyRequests, "", "too many requests"},
}

// meaningOf returns the meaning of a code, or false if the code is unknown.
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

// explain sets the failure's status and reason by the code in the body of an
// error answer, and returns the code, or 0 if there is none. Without a known
// code the status decides. err is set if reading the body failed.
func explain(f *session.Failure, body []byte, err error) (code int) {
	// Round up: a fraction of a second is the rest of a window that all callers
	// share.
	f.RetryAfter = (f.RetryAfter + time.Second - 1).Truncate(time.Second)
	if err != nil {
		if f.Status == http.StatusBadRequest { // says nothing without a code
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
		f.Status = m.status // but a 503 stays a 503
	}
	return code
}

// codeOf returns the code of an error answer, or 0 if it has none. The API's
// codes have six digits; other numbers are ignored.
func codeOf(body []byte) int {
	var e struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &e) != nil || e.Code < 100_000 || e.Code > 999_999 {
		return 0
	}
	return e.Code
}
