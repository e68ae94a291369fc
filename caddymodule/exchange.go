package caddymodule

import (
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
)

// exchange is one claimed request and its answer.
type exchange struct {
	h     *Handler
	rt    *route
	w     http.ResponseWriter
	r     *http.Request
	repl  *caddy.Replacer
	start time.Time
	tail  string // what stands for {session} in the path

	// issuer is who issued the session of a carried request, "" if unknown.
	issuer string
	req    Request

	// What became of it, for placeholders, logs and metrics.
	provider string
	reason   Reason
	outcome  outcome
	upstream time.Duration

	// carriedBy is the answer of the backend that took a carried request.
	carriedBy *relay.Answer

	// The values of the headers set so far, in one place instead of one
	// allocation each.
	values []string
	room   [maxHeaders]string
}

// maxHeaders is how many headers an answer has that are set one by one.
const maxHeaders = 8

func newExchange(h *Handler, rt *route, w http.ResponseWriter, r *http.Request) *exchange {
	repl, _ := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	x := &exchange{h: h, rt: rt, w: w, r: r, repl: repl, start: time.Now()}
	x.req.Header = r.Header
	x.values = x.room[:0]
	repl.Map(x.placeholder)
	if extra, ok := r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Add(zap.Inline(x)) // read when the access log is written
	}
	return x
}

// setHeader sets a header of the answer by its canonical name.
func (x *exchange) setHeader(name, value string) {
	n := len(x.values)
	x.values = append(x.values, value)
	x.w.Header()[name] = x.values[n : n+1 : n+1]
}

// MarshalLogObject adds what became of the request to its access log.
func (x *exchange) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("chatkit_provider", x.provider)
	enc.AddString("chatkit_reason", string(x.reason))
	enc.AddString("chatkit_request_id", x.req.ID)
	return nil
}

// serve takes the request through all its steps. Each is a function of its own,
// and a refusal of any of them is the answer.
func (x *exchange) serve() {
	x.setHeader("Cache-Control", "no-store")
	x.identifyRequest()
	if x.h.cors.preflight(x.w, x.r) {
		return
	}
	switch {
	case x.rt.relay != nil:
		x.serveRelayed()
		return
	case x.tail != "":
		x.serveCancel()
		return
	}
	defer x.record()
	if refusal := x.prepare(); refusal != nil {
		x.refuse(refusal)
		return
	}
	res := x.chainFor().Run(x.r.Context(), &x.req, observer{x})
	x.answer(&res)
}

// prepare checks the request and fills in what the chain needs of it.
func (x *exchange) prepare() *refusal {
	steps := []func() *refusal{
		x.checkOrigin, x.checkMethod, x.limitAddress, x.identifyUser, x.limitUser, x.readBody, x.checkModel, x.checkMetadata,
	}
	if x.rt.kind == OpenAIRoute { // the user stands in the body, and an app has one address for all
		steps = []func() *refusal{x.checkOrigin, x.checkMethod, x.checkKey, x.readBody, x.limitUser}
	}
	for _, step := range steps {
		if refusal := step(); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (x *exchange) checkOrigin() *refusal {
	if x.h.cors.allowed(x.r) {
		return nil
	}
	return &refusal{Status: http.StatusForbidden, Code: codeForbiddenOrigin, Title: "Origin not allowed",
		Details: "This origin is not on the allowlist"}
}

func (x *exchange) checkMethod() *refusal {
	if x.r.Method == http.MethodPost {
		return nil
	}
	x.setHeader("Allow", "POST, OPTIONS")
	return &refusal{Status: http.StatusMethodNotAllowed, Code: codeMethodNotAllowed, Title: "Method Not Allowed",
		Details: "Use POST"}
}

// answer writes what the chain gave.
func (x *exchange) answer(res *chain.Result) {
	x.upstream, x.reason = res.Upstream, res.Reason()
	if res.Served != nil {
		x.answerSession(res)
		return
	}
	x.answerFailure(res)
}

// placeholder gives the values of {http.chatkit.*}.
func (x *exchange) placeholder(key string) (any, bool) {
	switch key {
	case "http.chatkit.provider":
		return x.provider, true
	case "http.chatkit.reason":
		return string(x.reason), true
	case "http.chatkit.user":
		return x.req.User, true
	}
	return nil, false
}

// record tells operators what became of the request, once.
func (x *exchange) record() {
	total := time.Since(x.start)
	route := string(x.rt.kind)
	metrics.sessions.WithLabelValues(route, x.provider, string(x.outcome)).Inc()
	metrics.sessionDuration.WithLabelValues(route, x.provider).Observe(total.Seconds())
	metrics.overhead.Observe((total - x.upstream).Seconds())
}
