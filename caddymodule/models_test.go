package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// namedSession is a backend that answers session requests.
func namedSession(name string, asked *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Model string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		*asked = append(*asked, name+":"+body.Model)
		if strings.HasSuffix(r.Header.Get("X-Dead"), name) {
			http.Error(w, "dead", http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintf(w, `{"session_id":%q}`, name)
	}
}

// Who is asked for a model, in which order, and what it hears of it.
func TestModels(t *testing.T) {
	var asked []string
	s := newUnloadedSite(t)
	models := []string{"\n model m1 both", "\n model m2 both", ""}
	urls := make([]string, len(models))
	for i, own := range models {
		name := string(rune('a' + i))
		urls[i] = testsite.OwnBackend(t, namedSession(name, &asked)) + own + "\n forward_headers X-Dead" + neverOpen
	}
	s.Load(testsite.Backends("", urls...))
	tests := []struct {
		name, model string // of the request
		dead        string
		want        []string
	}{
		{"none named", "", "", []string{"a:"}},
		{"the first one's", "m1", "", []string{"a:m1"}},
		{"the second one's", "m2", "", []string{"b:m2"}},
		{"of both", "both", "", []string{"a:both"}},
		{"the second one's, and it is dead", "m2", "b", []string{"b:m2", "c:m2"}},
		{"of both, and the first is dead", "both", "a", []string{"a:both", "b:both"}},
		{"nobody's", "other", "", []string{"a:"}},
		{"nobody's, and the first is dead", "other", "a", []string{"a:", "b:"}},
		{"case matters", "M2", "", []string{"a:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked = nil
			body, _ := json.Marshal(map[string]string{"model": tt.model})
			got := s.Post("/api/custom/session", string(body), "X-Dead: "+tt.dead)
			if got.Status != http.StatusOK || !slices.Equal(asked, tt.want) {
				t.Errorf("got %d, asked %v, want %v", got.Status, asked, tt.want)
			}
			if moved := len(tt.want) > 1; moved != (got.Reason() == "status_5xx") {
				t.Errorf("fallback because %q", got.Reason())
			}
		})
	}
}

// A provider that does not serve the model is out of its chain, and so counts
// nowhere.
func TestModelsCountNobodyElse(t *testing.T) {
	var asked []string
	s := newSite(t, testsite.Backends("", testsite.OwnBackend(t, namedSession("a", &asked))+"\n model m1",
		testsite.OwnBackend(t, namedSession("b", &asked))+"\n model m2"))
	const own, other = `sessions_total{outcome="ok",route="session",served_by="b"}`, `attempts_total{provider="a",result="ok"}`
	served, before := s.Metric(own), s.Metric(other)
	got := s.Post("/api/custom/session", `{"model":"m2"}`)
	if got.Provider() != "b" || got.Reason() != "" || s.Metric(own) != served+1 || s.Metric(other) != before {
		t.Errorf("served by %s because %q, counted %v", got.Provider(), got.Reason(), s.Metric(own)-served)
	}
}

// Models that nobody names are refused by name of those who are known, also
// where they are those of a workflow.
func TestModelsStrict(t *testing.T) {
	var asked []string
	s := newUnloadedSite(t)
	block := testsite.Backends("models strict", testsite.OwnBackend(t, namedSession("a", &asked))+"\n model m1 m2") + `
		provider openai {
			base_url {env.TEST_OPENAI_URL}/v1
			key {env.TEST_OPENAI_KEY}
			workflow wf_test
			workflow gpt-large wf_large
		}` + ownOpenAI
	s.Load(block)
	for body, provider := range map[string]string{
		"": "a", "{}": "a", `{"model":""}`: "a", `{"model":"m1"}`: "a", `{"model":"gpt-large"}`: "openai",
		`{"model":"m3"}`: "", `{"model":"GPT-large"}`: "", `{"model":"m1 "}`: "",
	} {
		t.Run(body, func(t *testing.T) {
			asked = nil
			for _, path := range []string{"/api/custom/session", "/api/custom/refresh"} {
				got := s.Post(path, body)
				if provider != "" {
					if got.Status != http.StatusOK || got.Provider() != provider {
						t.Errorf("%s: got %d from %s", path, got.Status, got.Provider())
					}
					continue
				}
				checkError(t, got, "BAD_REQUEST")
				if got.Body["details"] != "Field model is none of gpt-large, m1, m2" || len(asked) > 0 {
					t.Errorf("%s: got %s, asked %v", path, got.Raw, asked)
				}
			}
		})
	}
	// A route whose providers list no model knows those of the others all the same.
	if got := s.Post("/openai", `{"model":"m1"}`); got.Status != http.StatusOK || got.Provider() != "openai" {
		t.Errorf("got %d from %s", got.Status, got.Provider())
	}
}

// ownOpenAI are routes of which one asks openai alone.
const ownOpenAI = "\n session /openai openai\n session /api/custom/session"

// The metadata of the front end as state variables of the workflow.
func TestStateVariables(t *testing.T) {
	many := func(n int) string {
		entries := make([]string, n)
		for i := range entries {
			entries[i] = fmt.Sprintf(`"k%d":%d`, i, i)
		}
		return "{" + strings.Join(entries, ",") + "}"
	}
	tests := []struct{ name, metadata, details string }{
		{"scalars", `{"plan":"pro","seats":3,"ratio":-0.5e3,"trial":false,"on":true,"ü":"ß"}`, ""},
		{"none", "", ""},
		{"empty", `{}`, ""},
		{"64", many(64), ""},
		{"65", many(65), "Field metadata has 65 entries, more than 64"},
		{"object", `{"a":1,"plan":{"x":1}}`, `Field metadata "plan" is not a string, number or boolean`},
		{"list", `{"plan":[]}`, `Field metadata "plan" is not a string, number or boolean`},
		{"null", `{"plan":null}`, `Field metadata "plan" is not a string, number or boolean`},
		{"longest name", `{"` + strings.Repeat("ü", 64) + `":1}`, ""},
		{"long name", `{"` + strings.Repeat("x", 5000) + `":1}`, `Field metadata "` + strings.Repeat("x", 64) + `" has a name longer than 64 characters`},
	}
	s := newUnloadedSite(t)
	s.Load(strings.Replace(testsite.TwoProviders, "workflow wf_test", "workflow wf_test\n state_variables metadata", 1) + ownOpenAI)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := "{}"
			if tt.metadata != "" {
				body = `{"metadata":` + tt.metadata + `}`
			}
			backend, calls := s.Backend.Calls(), s.OpenAI.Calls()
			if tt.details != "" {
				// Also where the backend, who would take it, serves.
				for _, path := range []string{"/openai", "/api/custom/session"} {
					got := s.Post(path, body)
					checkError(t, got, "BAD_REQUEST")
					if got.Body["details"] != tt.details || s.Backend.Calls() != backend || s.OpenAI.Calls() != calls {
						t.Errorf("%s: got %s", path, got.Raw)
					}
				}
				return
			}
			if got := s.Post("/openai", body); got.Status != http.StatusOK || s.OpenAI.Calls() != calls+1 {
				t.Fatalf("got %d %s", got.Status, got.Raw)
			}
			var sent struct {
				Workflow struct {
					Variables json.RawMessage `json:"state_variables"`
				}
			}
			all := s.OpenAI.Requests()
			if err := json.Unmarshal(all[len(all)-1].Body, &sent); err != nil {
				t.Fatal(err)
			}
			var got, want any
			_, _ = json.Unmarshal(sent.Workflow.Variables, &got), json.Unmarshal([]byte(tt.metadata), &want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("sent %s, want %s", sent.Workflow.Variables, tt.metadata)
			}
		})
	}
}

// Without the option metadata is the backend's alone, and may be anything.
func TestMetadataWithoutStateVariables(t *testing.T) {
	s := newSite(t, testsite.TwoProviders+ownOpenAI)
	for _, path := range []string{"/api/custom/session", "/openai"} {
		if got := s.Post(path, `{"metadata":{"plan":{"x":[]}}}`); got.Status != http.StatusOK {
			t.Errorf("%s: got %d %s", path, got.Status, got.Raw)
		}
	}
	all := s.OpenAI.Requests()
	if strings.Contains(string(all[len(all)-1].Body), "plan") {
		t.Errorf("sent %s", all[len(all)-1].Body)
	}
}

// A backend whose expires_at means nothing.
func TestIgnoreExpiry(t *testing.T) {
	s := newUnloadedSite(t)
	url := testsite.OwnBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"session_id":"s1","expires_at":"2024-12-31T23:59:59Z"}`))
	})
	s.Load(inFront(url, ""))
	if got := s.Session(); got.Status != http.StatusBadGateway {
		t.Errorf("got %d %s, want no session that is over", got.Status, got.Raw)
	}
	s.Load(inFront(url, "ignore_expiry"))
	s.persistent()
	got := s.Session()
	if _, there := got.Body["expires_at"]; got.Status != http.StatusOK || got.Body["client_secret"] != "s1" || there {
		t.Errorf("got %d %s", got.Status, got.Raw)
	}
}
