package standby

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/session"
	"github.com/caddy-chatkit/caddy-chatkit/standin"
)

// hangs waits for the end of its time after these texts.
func hangs(texts ...string) func(context.Context, standin.Writer) error {
	return func(ctx context.Context, w standin.Writer) error {
		if err := says(nil, texts...)(ctx, w); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// trickles says one word after each pause.
func trickles(n int, pause time.Duration) func(context.Context, standin.Writer) error {
	return func(ctx context.Context, w standin.Writer) error {
		for range n {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := w.Text("a"); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestAnswer(t *testing.T) {
	cut := func(reason string) error { return fmt.Errorf("wrapped: %w", &standin.Incomplete{Reason: reason}) }
	gone := errors.New("gone")
	for name, c := range map[string]struct {
		answer func(context.Context, standin.Writer) error
		stage  stage
		text   string
		reason session.Reason
		cut    string
		effect session.Effect
		took   time.Duration
	}{
		"complete":                   {answer: says(nil, "a", "b"), text: "ab", effect: session.Success},
		"empty texts do not count":   {answer: says(nil, ""), reason: session.InvalidResponse, effect: session.Failed},
		"no text":                    {answer: says(nil), reason: session.InvalidResponse, effect: session.Failed},
		"cut":                        {answer: says(cut(standin.MaxTokens), "a"), text: "a", cut: standin.MaxTokens, effect: session.Success},
		"cut before the first text":  {answer: says(cut(standin.MaxTokens)), reason: session.InvalidResponse, effect: session.Failed},
		"nothing passes the filter":  {answer: says(cut(standin.ContentFilter)), reason: session.Rejected, effect: session.Excluded},
		"fails at once":              {answer: says(failure), reason: session.Status5xx, effect: session.Failed},
		"fails later":                {answer: says(failure, "a"), text: "a", reason: session.Status5xx, effect: session.Failed},
		"an error of another kind":   {answer: says(errors.New("x")), reason: session.Reset, effect: session.Failed},
		"panics":                     {answer: func(context.Context, standin.Writer) error { panic("SECRET") }, reason: session.Misconfigured, effect: session.Failed},
		"hangs before the first":     {answer: hangs(), reason: session.Timeout, effect: session.Failed, took: patience},
		"hangs behind a text":        {answer: hangs("a"), text: "a", reason: session.Timeout, effect: session.Failed, took: patience},
		"each text has its own time": {answer: trickles(5, patience-1), text: "aaaaa", effect: session.Success, took: 5 * (patience - 1)},
		"trickles for ever":          {answer: trickles(1e6, patience-1), text: strings.Repeat("a", 60), reason: session.Timeout, effect: session.Failed, took: longest},
		"says too much": {
			answer: says(nil, strings.Repeat("a", maxText), "b", "c"), text: strings.Repeat("a", maxText), cut: standin.MaxTokens, effect: session.Success,
		},
		"a slow client does not use up its time": {
			answer: says(nil, "a", "b"), stage: stage{slow: 3 * patience}, text: "ab", effect: session.Success, took: 6 * patience,
		},
		"nobody listens": {
			answer: says(nil, "a", "b"), stage: stage{refuse: gone}, text: "a", reason: session.Canceled, effect: session.Excluded,
		},
		"does not care whether anybody listens": {
			answer: func(_ context.Context, w standin.Writer) error { _ = w.Text("a"); return nil },
			stage:  stage{refuse: gone}, text: "a", reason: session.Canceled, effect: session.Excluded,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := &script{answer: c.answer}
				s, breaker, log := of(t, "m", from)
				start := time.Now()
				reason, err := s.Answer(t.Context(), turn, &c.stage)
				incomplete, isCut := errors.AsType[*standin.Incomplete](err)
				if reason != c.reason || c.stage.text() != c.text || isCut != (c.cut != "") || isCut && incomplete.Reason != c.cut {
					t.Errorf("got %q, %v and %.20q, want %q, %q and %.20q", reason, err, c.stage.text(), c.reason, c.cut, c.text)
				}
				if reason == session.OK && !isCut && err != nil || reason != session.OK && err == nil || strings.Contains(fmt.Sprint(err), "SECRET") {
					t.Errorf("reason %q with error %v", reason, err)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				breaker.Asked("m", from.calls, c.effect)
				log.Saw("attempt m " + string(c.reason))
			})
		})
	}
}

// A client that leaves says nothing about the stand-in, unless it has waited long for
// the first word.
func TestClientLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(context.Context, standin.Writer) error
		after  time.Duration
		want   session.Reason
		effect session.Effect
	}{
		"early":           {hangs(), patience / 2, session.Canceled, session.Excluded},
		"late":            {hangs(), patience/2 + 1, session.Abandoned, session.Failed},
		"while it speaks": {hangs("a"), patience - 1, session.Canceled, session.Excluded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := &script{answer: c.answer}
				s, breaker, _ := of(t, "m", from)
				ctx, leave := context.WithCancel(t.Context())
				time.AfterFunc(c.after, leave)
				if reason, err := s.Answer(ctx, turn, new(stage)); reason != c.want || err == nil {
					t.Errorf("got %q and %v, want %q", reason, err, c.want)
				}
				breaker.Asked("m", from.calls, c.effect)
			})
		})
	}
}

// What the breaker or the cap keeps out is not asked.
func TestNotAsked(t *testing.T) {
	for _, refused := range []session.Reason{session.Open, session.ForcedOpen, session.Cooldown} {
		from := &script{answer: says(nil, "a")}
		s, breaker, log := of(t, "m", from)
		breaker.Refusals = []session.Reason{refused}
		if s.WouldAnswer("hash") {
			t.Errorf("%s: would answer", refused)
		}
		if reason, err := s.Answer(t.Context(), turn, new(stage)); reason != refused || err != nil || from.calls != 0 {
			t.Errorf("%s: got %q and %v after %d calls", refused, reason, err, from.calls)
		}
		log.Saw("skip m " + string(refused))
	}
}

func TestMaxTurns(t *testing.T) {
	from := &script{answer: says(nil, "a")}
	s, breaker, log := of(t, "m", from)
	two := bucket(2)
	s.target.Cap = &two
	for i, want := range []session.Reason{session.OK, session.OK, session.RateLimited} {
		if reason, err := s.Answer(t.Context(), turn, new(stage)); reason != want || err != nil {
			t.Errorf("turn %d: got %q and %v, want %q", i, reason, err, want)
		}
	}
	if from.calls != 2 || len(breaker.Effects) != 3 || breaker.Effects[2] != session.Excluded {
		t.Errorf("%d calls, permits came back with %v", from.calls, breaker.Effects)
	}
	log.Saw("attempt m ", "attempt m ", "skip m rate_limited")
}

// 429 with Retry-After keeps the stand-in out at once: the patience is our key's.
func TestCooldown(t *testing.T) {
	from := &script{answer: says(&session.Failure{Status: 429, RetryAfter: 7 * time.Second, KeyLimit: true})}
	s, breaker, _ := of(t, "m", from)
	if reason, _ := s.Answer(t.Context(), turn, new(stage)); reason != session.Status429 {
		t.Errorf("got %q", reason)
	}
	if len(breaker.Cooldowns) != 1 || breaker.Cooldowns[0] != 7*time.Second {
		t.Errorf("cooldowns %v", breaker.Cooldowns)
	}
}
