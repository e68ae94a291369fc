package demo

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
)

// adminAnswer is that of a Caddy with one breaker open and one forced.
const adminAnswer = `{"providers":[
	{"name":"backend","state":"open","open_until":"1970-01-12T13:46:42.5Z","states":[{"state":"open","at":"1970-01-12T13:46:40Z"}]},
	{"name":"openai","state":"forced_closed","forced":{"until":"1970-01-12T13:46:41Z"}}]}`

func TestStatus(t *testing.T) {
	backend, err := sandbox.NewBackend(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	openai, err := sandbox.NewOpenAI(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer openai.Close()
	if err := backend.Set(sandbox.Status503); err != nil {
		t.Fatal(err)
	}
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(adminAnswer))
	}))
	turns := []sandbox.Turn{{Number: 12, Thread: "thr_1", State: "cancelled", Answer: "You said", Hidden: "The user"}}
	s := &statusPage{
		api:      &adminAPI{url: admin.URL},
		requests: func() []request { return []request{{Number: 1, Status: 200}} },
		servers:  map[string]*sandbox.Server{"backend": backend, "openai": openai},
		turns:    func() []sandbox.Turn { return turns },
	}
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/demo/status", http.NoBody))
		return w
	}
	want := `{"now":0,"address":"",` +
		`"providers":[{"name":"backend","state":"open","until":1000002500,"fault":"503","states":[{"state":"open","at":1000000000}]},` +
		`{"name":"openai","state":"forced_closed","until":1000001000,"fault":"none","states":null}],` +
		`"requests":[{"number":1,"at":0,"path":"","status":200,"provider":"","reason":"","skipped":false,"outcome":"","took":0}],` +
		`"turns":[{"number":12,"thread":"thr_1","state":"cancelled","answer":"You said","hidden":"The user"}]}` + "\n"
	got := ask()
	text := regexp.MustCompile(`"now":\d+,"address":"[0-9.:]+"`).ReplaceAllString(got.Body.String(), `"now":0,"address":""`)
	if got.Code != http.StatusOK || text != want {
		t.Errorf("got %d %s", got.Code, text)
	}
	admin.Close()
	if got := ask(); got.Code != http.StatusBadGateway {
		t.Errorf("without an admin API: got %d %s", got.Code, got.Body)
	}
}

// The page comes first in what is printed, and the commands for operators find the
// demo.
func TestPrintHelp(t *testing.T) {
	for admin, flag := range map[string]string{"localhost:2019": "", "localhost:4711": " --address localhost:4711"} {
		var out strings.Builder
		(&demo{port: 8080, admin: admin, out: &out}).printHelp()
		first, rest, _ := strings.Cut(out.String(), "\n")
		if !strings.Contains(first, "open http://localhost:8080/ in a browser") || strings.Count(rest, "\n  curl ") != 3 ||
			!strings.Contains(rest, "\n  caddy chatkit-status --watch"+flag+"\n") || !strings.Contains(rest, "\n  caddy chatkit-breaker auto backend"+flag+"\n") {
			t.Errorf("printed %s", out.String())
		}
	}
}

// The latest requests are kept, and numbered.
func TestSessionLogKeeps(t *testing.T) {
	l := &sessionLog{}
	if got := l.requests(); got == nil || len(got) != 0 {
		t.Errorf("at first: got %v", got)
	}
	for range 250 {
		l.keep(request{})
	}
	if got := l.requests(); len(got) != maxKept || got[0].Number != 151 || got[maxKept-1].Number != 250 {
		t.Errorf("kept %d, from %d", len(got), got[0].Number)
	}
}

// The buttons reach six paths of the admin API and no other.
func TestForce(t *testing.T) {
	var asked []string
	admin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
	}))
	defer admin.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /demo/force/{provider}/{action}", (&adminAPI{url: admin.URL}).force)
	for _, tt := range []struct {
		path string
		want int
	}{
		{"/demo/force/backend/open", 200},
		{"/demo/force/openai/auto", 200},
		{"/demo/force/..%2f..%2f../stop", 404},
		{"/demo/force/backend/..%2f..%2f..%2fstop", 404},
		{"/demo/force/backend/explode", 404},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, tt.path, http.NoBody))
		if w.Code != tt.want {
			t.Errorf("%s: got %d", tt.path, w.Code)
		}
	}
	if got := strings.Join(asked, " "); got != "/chatkit/providers/backend/open /chatkit/providers/openai/auto" {
		t.Errorf("asked for %s", got)
	}
}
