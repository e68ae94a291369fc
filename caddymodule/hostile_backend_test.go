package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// touchy is a healthy backend with the faults that real ones have: what a request
// says can make it answer anything. Who behaves is always served.
//
// It does what the last known word in a body asks for, whether it is a session, a
// message, a stream or a ChatKit request.
func touchy(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/ws/") {
		echoSocket(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil { // MaxBytesReader has the connection closed
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	for word, do := range touchyWords {
		if bytes.Contains(body, []byte(word)) {
			do(w, r)
			return
		}
	}
	switch {
	case r.URL.Path == "/api/sessions":
		_ = json.NewEncoder(w).Encode(map[string]string{"session_id": fmt.Sprintf("s-%d", time.Now().UnixNano())})
	case strings.HasSuffix(r.URL.Path, "/stream"), r.URL.Path == "/chatkit":
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: {\"n\":%d}\n\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	default:
		_, _ = io.WriteString(w, `{"reply":"hello"}`)
	}
}

// touchyWords are what a body can ask for.
var touchyWords = map[string]func(w http.ResponseWriter, r *http.Request){
	"boom":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"missing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
	"banned":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	"expired": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	"nothing": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") },
	"limited": asksForPause(http.StatusTooManyRequests),
	"early":   asksForPause(http.StatusTooEarly),
	"late":    asksForPause(http.StatusRequestTimeout),
	"busy":    asksForPause(http.StatusServiceUnavailable),
	"think":   func(_ http.ResponseWriter, r *http.Request) { pauseFor(r, 5*time.Second) },
	"cut":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"half": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"session_id":`)
	},
}

// asksForPause answers with a status and the longest Retry-After that counts.
func asksForPause(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(status)
	}
}

// pauseFor waits, unless the client leaves.
func pauseFor(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}
