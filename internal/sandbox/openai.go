package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Paths and headers of the sessions API.
const (
	openAISessions = "/v1/chatkit/sessions"
	cancelSuffix   = "/cancel"
	betaHeader     = "OpenAI-Beta"
	betaFeature    = "chatkit_beta=v1"
	workflowPrefix = "wf_"
)

// openAI answers like OpenAI's ChatKit sessions API.
type openAI struct {
	key string // required if not empty

	mu       sync.Mutex
	sessions []chatSession // sessions that can still be cancelled
}

func (o *openAI) route(u *url.URL) judge {
	if u.Path == openAISessions {
		return o.guarded(o.create)
	}
	rest, ours := strings.CutPrefix(u.Path, openAISessions+"/")
	id, cancel := strings.CutSuffix(rest, cancelSuffix)
	if !ours || !cancel || id == "" || strings.Contains(id, "/") {
		return nil
	}
	return o.guarded(func(*Recorded, Fault) reply { return o.cancel(id) })
}

// mark gives every answer a request ID, as OpenAI's support asks for.
func (*openAI) mark(h http.Header) { h.Set("X-Request-Id", "req_"+token(16)) }

// guarded adds the checks that both calls share before j.
func (o *openAI) guarded(j judge) judge {
	return func(req *Recorded, f Fault) reply {
		switch key := bearer(req.Header); {
		case key == "":
			return openAIError{Message: "You didn't provide an API key."}.reply(http.StatusUnauthorized)
		case o.key != "" && key != o.key:
			return o.problem(http.StatusUnauthorized)
		case !beta(req.Header):
			return openAIError{
				Message: "You must provide the 'OpenAI-Beta' header to access this API. " +
					"Please try again by setting the header 'OpenAI-Beta: chatkit_beta=v1'.",
				Code: "invalid_beta",
			}.reply(http.StatusBadRequest)
		}
		return j(req, f)
	}
}

// beta reports whether the request opts in to the ChatKit beta.
func beta(h http.Header) bool {
	for _, line := range h.Values(betaHeader) {
		for feature := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(feature) == betaFeature {
				return true
			}
		}
	}
	return false
}

// create checks the body and returns a session.
func (o *openAI) create(req *Recorded, f Fault) reply {
	order, bad := parseOrder(req)
	if bad != nil {
		return bad.reply(http.StatusBadRequest)
	}
	if !strings.HasPrefix(order.workflow.ID, workflowPrefix) {
		return unknownWorkflow(order.workflow.ID)
	}
	session, text := newChatSession(order, f, time.Now())
	o.mu.Lock()
	o.sessions = remember(o.sessions, session)
	o.mu.Unlock()
	a := marshaled(http.StatusOK, session)
	a.secret = text
	return a
}

// cancel marks the session with the given ID as cancelled and returns it. The
// secret does not change.
func (o *openAI) cancel(id string) reply {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.sessions, func(s chatSession) bool { return s.ID == id })
	if i < 0 {
		return openAIError{Message: "Chatkit Session with id '" + id + "' not found."}.reply(http.StatusNotFound)
	}
	o.sessions[i].Status = statusCancelled
	return marshaled(http.StatusOK, o.sessions[i])
}
