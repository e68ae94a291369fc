package sendbird

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/provider"
	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// The result of each error: by its code, or by its status if it has no code.
func TestErrors(t *testing.T) {
	code := func(n int) string { return fmt.Sprintf(`{"message":"planted","code":%d,"error":true}`, n) }
	const rejected, misconfigured = session.Rejected, session.Misconfigured
	cases := []struct {
		name   string
		status int
		body   string
		want   session.Reason
		shown  int // the status that follows
	}{
		{"parameter of a wrong type", 400, code(400100), rejected, 400},
		{"missing parameter", 400, code(400105), rejected, 400},
		{"invalid value", 400, code(400111), rejected, 400},
		{"character not allowed", 400, code(400151), rejected, 400},
		{"unknown user", 400, code(400201), rejected, 400},
		{"unknown user with 500", 500, code(400201), rejected, 400},
		{"unknown user with 404", 404, code(400201), rejected, 400},
		{"deactivated user", 400, code(400300), rejected, 400},
		{"deactivated user with 500", 500, code(400300), rejected, 400},
		{"deleted user", 400, code(400301), rejected, 400},
		{"user id too long", 400, code(400305), rejected, 400},
		{"invalid JSON", 400, code(400403), rejected, 400},
		{"unauthorized request", 400, code(400108), misconfigured, 401},
		{"invalid token", 400, code(400401), misconfigured, 401},
		{"invalid token with 401", 401, code(400401), misconfigured, 401},
		{"invalid token with 500", 500, code(400401), misconfigured, 401},
		{"quota", 400, code(400306), misconfigured, 401},
		{"unknown application", 400, code(400304), misconfigured, 404},
		{"application not available", 403, code(403100), misconfigured, 404},
		{"rate limit", 429, code(500910), session.Status429, 429},
		{"rate limit with 400", 400, code(500910), session.Status429, 429},
		{"rate limit with 500", 500, code(500910), session.Status429, 429},
		{"429 with another code", 429, code(400201), session.Status429, 429},
		{"internal error", 500, code(500901), session.Status5xx, 500},
		{"internal error with 400", 400, code(500901), session.Status5xx, 500},
		{"internal error with 503", 503, code(500901), session.Status5xx, 503},
		{"another internal error", 400, code(500999), session.Status5xx, 500},

		{"unknown code", 400, code(400999), rejected, 400},
		{"unknown code with 500", 500, code(400999), session.Status5xx, 500},
		{"unknown code with 404", 404, code(123456), misconfigured, 404},
		{"exists already, where nothing is created", 400, code(400202), rejected, 400},
		{"no code of Sendbird's", 500, code(7), session.Status5xx, 500},
		{"no code", 400, `{"message":"planted"}`, rejected, 400},
		{"code in a string", 400, `{"code":"400401"}`, rejected, 400},
		{"fraction of a code", 400, `{"code":400401.5}`, rejected, 400},
		{"huge code", 400, `{"code":1e300}`, rejected, 400},
		{"list", 400, `[400401]`, rejected, 400},
		{"empty", 400, "", rejected, 400},
		{"HTML", 400, "<html>planted</html>", rejected, 400},
		{"HTML, 401", 401, "<html>planted</html>", misconfigured, 401},
		{"HTML, 403", 403, "<html>planted</html>", rejected, 403},
		{"HTML, 404", 404, "<html>planted</html>", misconfigured, 404},
		{"HTML, 405", 405, "<html>planted</html>", misconfigured, 405},
		{"HTML, 408", 408, "<html>planted</html>", session.Status408, 408},
		{"HTML, 429", 429, "<html>planted</html>", session.Status429, 429},
		{"HTML, 500", 500, "<html>planted</html>", session.Status5xx, 500},
		{"HTML, 503", 503, "<html>planted</html>", session.Status5xx, 503},
		{"redirect with a code", 302, code(400201), session.InvalidResponse, 302},
		{"too large", 400, code(400401) + strings.Repeat(" ", provider.MaxAnswer), rejected, 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, reply{status: c.status, body: c.body})
			got, err := create(t, s.provider(t, "/", nil), session.Request{User: "u1"})
			v := verdict(t, err)
			refusal := c.want == rejected
			if v.Reason != c.want || v.Status != c.shown || v.Next == refusal || (v.Effect == session.Excluded) != refusal {
				t.Errorf("got %+v (%v), want %s %d", v, err, c.want, c.shown)
			}
			s.wantAsked(t, issuePath)
			if got.Secret != "" || strings.Contains(err.Error(), "planted") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// The code decides whose fault it is, even if the operator lists the statuses in
// fallback_on.
func TestErrorsAndFallbackOn(t *testing.T) {
	defaults, err := session.ParseStatusSet([]string{"401", "404", "405", "408", "425", "429", "5xx"})
	if err != nil {
		t.Fatal(err)
	}
	for code, next := range map[int]bool{
		400401: true, 400108: true, 400304: true, 400306: true, 403100: true, 500901: true, 500910: true,
		400201: false, 400300: false, 400301: false, 400305: false, 400111: false,
	} {
		s := start(t, reply{status: 400, body: fmt.Sprintf(`{"code":%d}`, code)})
		_, failed := create(t, s.provider(t, "/", nil), session.Request{User: "u1"})
		if v := session.Classify(t.Context(), t.Context(), failed, defaults); v.Next != next {
			t.Errorf("%d: goes on: %t, want %t", code, v.Next, next)
		}
	}
}

// How long Sendbird asks clients to wait, in whole seconds.
func TestCooldown(t *testing.T) {
	const own = "X-RateLimit-RetryAfter"
	cases := []struct {
		status      int
		name, value string
		want        time.Duration
	}{
		{429, own, "0.0697", time.Second},
		{429, own, "1", time.Second},
		{429, own, "1.01", 2 * time.Second},
		{429, own, "3600", session.MaxCooldown},
		{429, own, "-1", 0},
		{429, own, "soon", 0},
		{429, "Retry-After", "7", 7 * time.Second},
		{400, own, "2.5", 3 * time.Second},
		{500, own, "0.5", time.Second},
		{429, "X-Other", "5", 0},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d %s %s", c.status, c.name, c.value), func(t *testing.T) {
			s := start(t, reply{status: c.status, body: `{"code":500910}`, header: [2]string{c.name, c.value}})
			_, err := create(t, s.provider(t, "/", nil), session.Request{User: "u1"})
			if v := verdict(t, err); v.Reason != session.Status429 || v.Cooldown != c.want || v.Retry || v.KeyLimit != (c.want > 0) {
				t.Errorf("got %+v, want a cooldown of %s for everybody", v, c.want)
			}
		})
	}
}
