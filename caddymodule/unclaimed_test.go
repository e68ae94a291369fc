package caddymodule_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// seen is a request as the app behind the site sees it.
type seen struct {
	Method, URI, Host, Body string
	Length                  int64
	Header                  http.Header
}

// echo is an app that answers what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.Host, string(body), r.ContentLength, r.Header})
}

// What is not claimed reaches the app as if chatkit were not there, and its
// answer comes back like that.
func TestUnclaimedIsUntouched(t *testing.T) {
	const origin = "Origin: https://app.example.com"
	requests := []struct {
		method, path, body string
		headers            []string
	}{
		{http.MethodGet, "/", "", nil},
		{http.MethodGet, "/api/custom/session/?a=b&c=%20", "", []string{origin}},
		{http.MethodPost, "/api/custom/other", `{"message":"hi"}`, []string{"Content-Type: application/json", "X-Request-Id: a b", "Cookie: chatkit_session_id=x"}},
		{http.MethodPost, "/upload", strings.Repeat("x", 200<<10), []string{"Content-Type: multipart/form-data; boundary=x"}},
		{http.MethodPut, "/api/custom%2Fsession", "[", []string{"Authorization: Bearer t"}},
		{http.MethodDelete, "/a/../b", "", nil},
		{http.MethodOptions, "/other", "", []string{origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x"}},
		{http.MethodHead, "/chatkit", "", nil},
		{"BREW", "/pot", "", []string{"Accept: coffee"}},
	}
	s, plain := newUnloadedSite(t), "http://"+testsite.FreeAddr(t)
	url := testsite.OwnBackend(t, echo)
	text := strings.Replace(s.Caddyfile(visitor), `respond "the app itself: {method} {path}" 418`, "reverse_proxy "+url, 1)
	s.LoadText(text + plain + " {\n reverse_proxy " + url + "\n}\n")
	all := func(url string) (answers []answer) {
		with := s.URL
		defer func() { s.URL = with }()
		s.URL = url
		for _, r := range requests {
			a := s.Do(r.method, r.path, r.body, r.headers...)
			a.Raw = strings.ReplaceAll(a.Raw, strings.TrimPrefix(url, "http://"), "site")
			a.Header.Del("Date")
			a.Header.Del("Content-Length") // has the address in it
			a.Body, a.Took = nil, 0
			answers = append(answers, a)
		}
		return answers
	}
	got, want := all(s.URL), all(plain)
	for i, r := range requests {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s %s: got %+v, want %+v", r.method, r.path, got[i], want[i])
		}
		for name := range got[i].Header {
			if strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "X-Chatkit-") || name == "X-Request-Id" || name == "Cache-Control" {
				t.Errorf("%s %s: got our header %s", r.method, r.path, name)
			}
		}
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 0 {
		t.Errorf("the providers were asked %d times, want never", got)
	}
}
