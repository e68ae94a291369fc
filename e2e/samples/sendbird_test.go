package samples_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Sendbird's custom session guide.
func TestSendbirdGuide(t *testing.T) {
	document{name: "sendbird-guide", file: "000_*.txt", heads: []heading{
		{"Custom Session Configuration Guide", nil},
		{"Prerequisites", nil},
		{"Step-by-Step Guide", nil},
		{"Defining a Function to Issue Session Tokens", issueToken},
		{"Defining a Session Configuration Function", configureSession},
		{"Passing Session Configuration Data to the Widget", widget},
		{"Further Information", nil},
		{"Real World Example", nil},
	}}.run(t)
}

// Our version of the guide, as it stands, for a user whom Sendbird does not know
// yet.
func TestDocsWidget(t *testing.T) {
	const title = "The widget"
	code := make(map[string]string)
	for _, s := range sections(readFile(t, filepath.Join(root, "docs", "guides", "sendbird.md"))) {
		if s.title == title && len(s.blocks) > 0 {
			code[title] = s.blocks[len(s.blocks)-1]
		}
	}
	s := &samples{T: t, code: code, pages: document{name: "docs"}.transpiled(t, code)}
	api := testsite.StandIn(t, sandbox.NewSendbird, sandbox.Options{Key: "YOUR_API_TOKEN"})
	drawsWidget(s, api, sendbirdSite(t, api, "create_users"))
}

// newSendbird knows the user and the token of the guide.
func newSendbird(t *testing.T) *sandbox.Server {
	t.Helper()
	return testsite.StandIn(t, sandbox.NewSendbird, sandbox.Options{Key: "YOUR_API_TOKEN", Users: []string{"USER_ID"}})
}

// sendbirdSite is the product before Sendbird, with the user of the guide.
func sendbirdSite(t *testing.T, s *sandbox.Server, more ...string) *site {
	t.Helper()
	return serve(t, "user {http.vars.user}", fmt.Sprintf("provider sendbird {\napp_id sample-app\napi_token YOUR_API_TOKEN\n"+
		"host %s\n%s\n}", s.URL(), strings.Join(more, "\n")))
}

// at opens a page whose Platform API is the stand-in.
func (s *samples) at(t *testing.T, name string, api *sandbox.Server) *page {
	t.Helper()
	const host = "https://api-${APP_ID}.sendbird.com"
	if !strings.Contains(s.pages[name], host) {
		t.Fatalf("%s does not call %s", name, host)
	}
	return openCode(t, strings.ReplaceAll(s.pages[name], host, api.URL()), nil)
}

// The guide's function gets a token from the stand-in, which so is like the
// service, and none for a user who is not there; and so does the whole guide.
func issueToken(s *samples) {
	t := s.T
	api := newSendbird(t)
	p := s.at(t, "issue", api)
	gave(t, api, p.text("token"))
	p.is("failed", "Failed to issue a session token")
	p.end()

	p = s.at(t, "guide", api)
	p.is("drawn", []string{"chat-ai-widget", "USER_ID"})
	gave(t, api, p.text("token"))
	gave(t, api, p.text("token"))
	p.end()
}

// The session handler gets its token from the product, and is told if there is none.
func configureSession(s *samples) {
	t := s.T
	api := newSendbird(t)
	to := sendbirdSite(t, api)
	p := s.open(t, "configure", to)
	gave(t, api, p.text("token"))
	p.is("end", nil)
	p.end()
	if path := firstRequest(t, api).Path; path != "/v3/users/USER_ID/token" {
		t.Errorf("Sendbird was asked for %s", path)
	}

	testsite.Set(t, api, sandbox.Refuse)
	p = s.open(t, "configure", to)
	p.is("failed", "Session creation failed")
	p.is("end", nil)
	p.end()
}

// The widget is drawn with a token of the product, and gets another one.
func widget(s *samples) {
	api := newSendbird(s.T)
	drawsWidget(s, api, sendbirdSite(s.T, api))
}

func drawsWidget(s *samples, api *sandbox.Server, to *site) {
	t := s.T
	p := s.open(t, "widget", to)
	p.is("first", nil)
	p.is("drawn", []string{"chat-ai-widget", "USER_ID"})
	first := p.text("token")
	gave(t, api, first)
	second := p.text("token")
	gave(t, api, second)
	if first == second {
		t.Error("the same token was issued twice")
	}
	p.end()
}
