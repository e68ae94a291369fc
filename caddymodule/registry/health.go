package registry

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/caddy-chatkit/caddy-chatkit/session"
)

// note keeps what an attempt says about the health of the provider.
func (p *Provider) note(v session.Verdict, took time.Duration, err error) {
	switch v.Effect {
	case session.Failed:
		p.tally.Fails(ErrorText(err), took)
	case session.Success:
		p.tally.Works(v.Reason == session.OK, took)
	default: // the client has left: nothing is known
	}
}

const maxErrorText = 200

// Parts of an error that may hold a secret or a part of an upstream's answer:
// net/http quotes what it could not parse.
var (
	quoted  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)
	address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"]+`)
)

// ErrorText returns the text of an error for operators: one line without quoted
// text, and of URLs only scheme and host.
func ErrorText(err error) string {
	if err == nil {
		return ""
	}
	if u, ok := errors.AsType[*url.Error](err); ok && u.Err != nil {
		err = u.Err
	}
	text := quoted.ReplaceAllString(err.Error(), `"…"`)
	text = address.ReplaceAllStringFunc(text, hostOnly)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if runes := []rune(text); len(runes) > maxErrorText {
		text = string(runes[:maxErrorText]) + "…"
	}
	return text
}

// hostOnly returns a URL without user, path and query.
func hostOnly(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "…"
	}
	return u.Scheme + "://" + u.Host
}
