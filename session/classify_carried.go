package session

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// ClassifyCarried is the classification table for carried requests, with the
// arguments of [Classify]. The client's own content and credentials are on the way,
// so every 4xx is about them. It is passed on, unless fallbackOn lists it. An answer
// that says nothing about the provider and goes to the client is [Excluded] without
// a reason.
func ClassifyCarried(ctx, attempt context.Context, err error, fallbackOn *StatusSet) Verdict {
	if err == nil {
		return Verdict{Effect: Success}
	}
	f := failureOf(err)
	switch s := f.Status; {
	case s == http.StatusSwitchingProtocols || (s >= 200 && s <= 299):
		if f.Reason == OK && f.Err == nil {
			return Verdict{Effect: Success, Status: s}
		}
	case s >= 500:
		return byStatus(f, fallbackOn)
	case s >= 400:
		return applyFallbackOn(Verdict{Reason: Rejected, Status: s}, fallbackOn)
	case s != 0:
		return Verdict{Status: s}
	}
	v := withoutStatus(ctx, attempt, err, f)
	if v.Reason == Reset && f.Reason == OK && unsendable(err) {
		return Verdict{Reason: Rejected, Status: http.StatusBadRequest}
	}
	return v
}

// unsendable reports whether the transport has refused to send the request, before
// it used a connection. net/http has no type for these errors.
func unsendable(err error) bool {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "net/http: "), "http2: ")
	return slices.ContainsFunc(unsendableTexts, func(s string) bool { return strings.HasPrefix(text, s) })
}

var unsendableTexts = []string{
	"invalid header field", "invalid trailer field", "invalid method", "invalid HTTP header", "invalid HTTP trailer",
	"invalid request :path", "invalid Upgrade request", "invalid Transfer-Encoding request", "invalid Connection request",
	"invalid Trailer key", "request header list larger than",
}
