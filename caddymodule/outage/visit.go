package outage

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/problem"
	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/upstream"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chain"
	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
	"github.com/caddy-chatkit/caddy-chatkit/internal/relay"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
	"github.com/caddy-chatkit/caddy-chatkit/internal/turn"
)

// Name is what stands for the stand-ins of a route where a provider's name would stand:
// which of them speaks is known only when the answer has begun.
const Name = "standin"

// Answered says that stand-ins have answered a request.
type Answered struct {
	// Trail holds the backends that have not.
	Trail chain.Trail
}

// Visit is a request on a route with stand-ins.
type Visit struct {
	policy *Policy
	chat   *outage.Chat
	who    *outage.Caller
	asker  *Who

	asked chatkit.Request
	call  *chatkit.Call // nil: stand-ins cannot read it
	err   error         // why not
}

// Visit reads a request, all of it if whole is set. The problem refuses it.
func (p *Policy) Visit(who *Who, body []byte, whole bool, most int64) (*Visit, *problem.Problem) {
	v := &Visit{policy: p, chat: p.chat(), who: p.caller(who), asker: who, asked: chatkit.ReadRequest(body)}
	switch {
	case v.asked.Unclear: // another reader could find a stand-in's thread in it
		return nil, problem.BadRequest("Body can be read in two ways")
	case !whole && (v.Own() || v.asked.Thread == "" && v.asked.Type.InThread()):
		return nil, problem.BodyTooLong(most) // the rest could name one
	case !whole:
		return v, nil
	}
	if v.call, v.err = chatkit.ParseCall(body); v.err != nil && v.Own() {
		return nil, problem.BadRequest(problem.Capitalized(v.err.Error()))
	}
	return v, nil
}

// Own reports whether the request is in a thread of a stand-in's own, so that it is
// not for any backend.
func (v *Visit) Own() bool { return threads.Own(v.asked.Thread) }

// CanAnswer reports whether stand-ins may answer the request if no backend does.
func (v *Visit) CanAnswer() bool { return v.call != nil }

// Failed notes that no backend has answered, and reports whether stand-ins may: not
// after a refusal.
func (v *Visit) Failed(failed *relay.Failed) bool {
	for _, s := range failed.Steps {
		if status := s.Verdict.Status; !s.Verdict.Reason.MovesOn() || status >= 400 && status < 500 {
			return false
		}
	}
	v.chat.State.Failed()
	return v.CanAnswer()
}

// Turn returns the answer of the stand-ins to a turn.
func (v *Visit) Turn(ctx context.Context, trail chain.Trail) *turn.Answer {
	return &turn.Answer{Body: v.chat.Turn(upstream.WithoutProxy(ctx), v.who, v.call), StandIn: true, Asked: time.Now(), Value: &Answered{trail}}
}

// JSON returns the answer of the stand-ins to a request that is no turn, nil for what
// has to wait.
func (v *Visit) JSON(ctx context.Context) []byte { return v.chat.Serve(ctx, v.who, v.call) }

// Waits is the problem of a request that has to wait until a backend is back.
func Waits(retryAfter time.Duration) *problem.Problem {
	return &problem.Problem{Status: http.StatusServiceUnavailable, Code: problem.CodeSessionError, Title: "Chat is unavailable",
		Details: "This has to wait until the assistant is back", RetryAfter: max(retryAfter, time.Second)}
}

// Backend notes that a backend has answered the request, well or not.
func (v *Visit) Backend(ctx context.Context, resp *relay.Response) {
	if resp.StatusCode >= http.StatusMultipleChoices {
		return
	}
	v.policy.shared.known.Learn(v.asker.Scope, knownAs(v.asker))
	v.who = v.policy.caller(v.asker)
	if v.asked.Type.Streams() {
		return // a header is no turn yet
	}
	v.answered(false)
	if v.asked.Type == chatkit.ThreadsDelete {
		v.chat.Forget(ctx, v.who, v.asked.Thread)
	}
}

// Watch lets a backend's turn pass. What stand-ins have said in its thread is told
// behind the first frame.
func (v *Visit) Watch(ctx context.Context, a *turn.Answer) {
	a.Behind = v.chat.Owed(ctx, v.who, v.asked.Thread)
	a.Told = func() { v.chat.Told(context.WithoutCancel(ctx), v.who, v.asked.Thread) }
	if v.call != nil && v.who.Lists {
		a.Body = v.chat.Watch(ctx, v.who, v.call, a.Body)
	}
	judge := a.Judge
	a.Judge = func(e turn.End, err error) {
		if e == turn.OK {
			v.answered(true)
		}
		judge(e, err)
	}
}

// answered notes that a backend lives.
func (v *Visit) answered(turn bool) {
	v.chat.State.Answered(turn)
	if v.policy.sender != nil {
		v.policy.sender.Wake()
	}
}
