package chatkit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-chatkit/caddy-chatkit/e2e/testtools"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const (
	create = `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hi"}],"attachments":[],"inference_options":{}}}}`
	frame  = "Chatkit-Frame-Instance-Id: f1"
	answer = "word 0 word 1 word 2 word 3 word 4 "
)

// server is one that runs.
type server struct {
	*testing.T

	url string
}

func start(t *testing.T) *server {
	t.Helper()
	node := testtools.Node(t, "chatkit-node-backend-sdk")
	script, err := filepath.Abs("testdata/server.cjs")
	if err != nil {
		t.Fatal(err)
	}
	p := testsite.StartProgram(t, t.TempDir(), nil, node, script)
	return &server{t, "http://127.0.0.1:" + p.Await(t, `listening on (\d+)`)[1]}
}

// next lets the model say words.
func (s *server) next(words string) {
	s.Helper()
	testsite.Do(s.T, http.DefaultClient, http.MethodPost, s.url+"/next", words)
}

// stored is what the server has of the answers, and how often it was asked for one.
func (s *server) stored() (text string, calls int) {
	s.Helper()
	var got struct {
		Calls int
		Items []struct {
			Type    string
			Content []struct{ Text string }
		}
	}
	if err := json.Unmarshal([]byte(testsite.Do(s.T, http.DefaultClient, http.MethodGet, s.url+"/items", "").Raw), &got); err != nil {
		s.Fatal(err)
	}
	for _, item := range got.Items {
		if item.Type == "assistant_message" {
			for _, part := range item.Content {
				text += part.Text
			}
		}
	}
	return text, got.Calls
}

// A turn comes through as the server sends it.
func TestWholeTurn(t *testing.T) {
	b := start(t)
	s := testsite.New(t, testsite.Backends("chatkit /chatkit", b.url))
	b.next("10")
	direct := testsite.Do(t, http.DefaultClient, http.MethodPost, b.url+"/chatkit", create)
	got := s.Post("/chatkit", create, frame)
	if strings.Count(got.Raw, "data: ") != strings.Count(direct.Raw, "data: ") || !strings.Contains(got.Raw, answer) || strings.Contains(got.Raw, `"error"`) {
		t.Errorf("got %q, without us %q", got.Raw, direct.Raw)
	}
	if list := s.Post("/chatkit", `{"type":"threads.list","params":{}}`); list.Status != http.StatusOK || list.Body["data"] == nil {
		t.Errorf("the list is %d %q", list.Status, list.Raw)
	}
}

// A client is lost after two words: the server stores the whole answer, and the same
// request gets all of it, from one call. With cancel the server has no answer.
func TestLostClient(t *testing.T) {
	for mode, want := range map[string]string{"finish": answer, "cancel": ""} {
		t.Run(mode, func(t *testing.T) {
			b := start(t)
			s := testsite.New(t, testsite.Backends("chatkit /chatkit {\n on_disconnect "+mode+"\n }", b.url))
			ctx, lose := context.WithCancel(t.Context())
			r, err := testsite.Request(ctx, http.MethodPost, s.URL+"/chatkit", create, frame)
			if err != nil {
				t.Fatal(err)
			}
			b.next("2")
			resp, err := s.Client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			s.AwaitItsLog(resp)
			for lines := bufio.NewReader(resp.Body); ; {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(line, "word 1 ") {
					break
				}
			}
			lose()
			_ = resp.Body.Close()
			if mode == "cancel" {
				s.Await("turns_in_flight", 0)
				time.Sleep(200 * time.Millisecond) // the server has noticed it
				b.next("3")
			} else {
				time.Sleep(200 * time.Millisecond) // the loss is noticed
				b.next("3")
				s.Await("turns_in_flight", 0)
				if again := s.Post("/chatkit", create, frame); !strings.Contains(again.Raw, answer) {
					t.Errorf("who comes back gets %q", again.Raw)
				}
			}
			time.Sleep(100 * time.Millisecond)
			if text, calls := b.stored(); text != want || calls != 1 {
				t.Errorf("the server has %q after %d calls, want %q", text, calls, want)
			}
		})
	}
}
