package caddymodule

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/limit"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/telemetry"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/tracing"
	"github.com/caddy-chatkit/caddy-chatkit/internal/openaiapi"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The headers that say who answered, and why the first provider did not, in the
// canonical form of net/http.
const (
	providerHeader = "X-Chatkit-Provider"
	reasonHeader   = "X-Chatkit-Fallback-Reason"
)

const requestIDHeader = "X-Request-Id"

// exposed are our own headers that scripts may read.
var exposed = []string{"Retry-After", requestIDHeader, providerHeader, reasonHeader}

// claimed is what all requests on our paths have: [sessionRequest],
// [carriedRequest] and [cancelRequest] embed it.
type claimed struct {
	h     *Handler
	route *route
	w     http.ResponseWriter
	r     *http.Request
	repl  *caddy.Replacer
	start time.Time
	id    string // of the request
	addr  string // see address
	drill bool   // the first provider is left out

	values headerValues

	// For placeholders and the access log.
	user     string
	provider string // whose answer the client got
	reason   session.Reason
	became   string // the outcome
}

// begin prepares the answer. It reports whether there is more to do than to answer
// a preflight.
func (c *claimed) begin() bool {
	c.start, c.id = time.Now(), requestID(c.r.Header)
	c.r = tracing.Enter(c.r, string(c.route.kind), c.route.path)
	c.drill = c.h.drill.Take(c.r.Header)
	c.setHeader(requestIDHeader, c.id)
	c.repl, _ = c.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	c.repl.Map(c.placeholder)
	if extra, ok := c.r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		extra.Add(zap.Inline(c)) // read when the access log is written
	}
	return !c.h.cors.Preflight(c.w, c.r)
}

// MarshalLogObject adds what became of the request to its access log.
func (c *claimed) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("chatkit_provider", c.provider)
	enc.AddString("chatkit_reason", string(c.reason))
	enc.AddString("chatkit_outcome", c.became)
	enc.AddString("chatkit_request_id", c.id)
	return nil
}

// tellTrace tells the trace that the request belongs to what became of it.
func (c *claimed) tellTrace() {
	tracing.Answer(c.r.Context(), &tracing.Answered{
		RequestID: c.id, Provider: c.provider, Reason: string(c.reason), Outcome: c.became, Drill: c.drill,
	})
}

// placeholder returns the values of {http.chatkit.*}.
func (c *claimed) placeholder(key string) (any, bool) {
	switch key {
	case "http.chatkit.provider":
		return c.provider, true
	case "http.chatkit.reason":
		return string(c.reason), true
	case "http.chatkit.user":
		return c.user, true
	}
	return nil, false
}

// address returns the client's address as limits and breakers know it.
func (c *claimed) address() string {
	if c.addr == "" {
		if client, _ := caddyhttp.GetVar(c.r.Context(), caddyhttp.ClientIPVarKey).(string); client != "" {
			c.addr = limit.Network(client)
		}
	}
	return c.addr
}

// servedBy notes the provider whose answer the client gets.
func (c *claimed) servedBy(name string) {
	c.provider = name
	c.setHeader(providerHeader, name)
}

// refuse answers with a problem before any provider was asked. It reports whether
// there is a client to read it.
func (c *claimed) refuse(p *problem.Problem) bool {
	c.drill = false // it did not get as far
	if p.Status == problem.StatusClientGone {
		c.leave()
		return false
	}
	if c.r.ProtoMajor == 1 && c.r.Header.Get("Expect") != "" {
		// net/http would wait for the body before it sends the answer, and the
		// client for the answer before it sends the body.
		c.w.Header().Set("Connection", "close")
	}
	c.provider = telemetry.NoProvider
	c.writeProblem(p)
	return true
}

// leave ends a request whose client has gone. The status is for the access log.
func (c *claimed) leave() {
	c.provider = telemetry.NoProvider
	c.w.WriteHeader(problem.StatusClientGone)
}

// writeProblem writes a problem, in the shape of OpenAI's API on its routes.
func (c *claimed) writeProblem(p *problem.Problem) {
	if !c.drill {
		telemetry.Refused(string(c.route.kind), strings.ToLower(p.Code))
	}
	p.SetHeaders(c.w.Header())
	body := p.Body
	if c.route.kind == OpenAIRoute {
		body = func() []byte {
			return openaiapi.ErrorBody(p.Status, p.Title+": "+p.Details, p.Param, strings.ToLower(p.Code))
		}
	}
	c.w.WriteHeader(p.Status)
	_, _ = c.w.Write(body())
}

// writeJSON writes an answer. If it cannot be written the client has gone. Parts of
// it may be a provider's, and JSON parsers overlook invalid UTF-8.
func (c *claimed) writeJSON(body []byte) {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	c.setHeader("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(body)
}

// saneID is what an id of the client's may be: it ends up in headers and logs.
var saneID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)

// requestID returns the id of a request: the client's own where it is sane, else a
// random one. It goes back to the client, upstream and into the access log.
func requestID(h http.Header) string {
	if id := h.Get(requestIDHeader); id != "" && saneID.MatchString(id) {
		return id
	}
	// An id is for finding things, not a secret: crypto/rand would be a system call
	// for each request.
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // see above
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // see above
	return hex.EncodeToString(id[:])
}
