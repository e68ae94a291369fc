package docs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/sandbox"
	"github.com/caddy-chatkit/caddy-chatkit/internal/shipped"
	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

const httpAPI = "docs/reference/http-api.md"

// errorSite is the site that the examples of errors are from.
const errorSite = testsite.TwoProviders + `
	first_byte 500ms
	rate_limit user 2 1h
	cors {
		origins https://app.example.com
	}
	openai_api /v1 {
		key key-of-the-app
	}`

// errorExamples produce the examples of the page, in the order of their codes.
var errorExamples = map[string]func(s *testsite.Site) testsite.Answer{
	"400 BAD_REQUEST":        func(s *testsite.Site) testsite.Answer { return s.Post("/api/custom/session", "[]") },
	"401 UNAUTHORIZED":       func(s *testsite.Site) testsite.Answer { return s.Session() },
	"403 FORBIDDEN_ORIGIN":   func(s *testsite.Site) testsite.Answer { return s.Session("Origin: https://other.example.com") },
	"405 METHOD_NOT_ALLOWED": func(s *testsite.Site) testsite.Answer { return s.Do(http.MethodGet, "/api/custom/session", "") },
	"409 SESSION_ELSEWHERE": func(s *testsite.Site) testsite.Answer {
		testsite.Set(s.T, s.Backend, sandbox.Refuse)
		return s.Stream("Authorization: Bearer " + s.Session().Secret())
	},
	"408 BODY_TIMEOUT": func(s *testsite.Site) testsite.Answer {
		w := s.Dial()
		w.Send("POST /api/custom/message HTTP/1.1\r\nHost: " + strings.TrimPrefix(s.URL, "http://") + "\r\nContent-Length: 9000\r\n\r\n{")
		a, _ := w.Answer()
		return a
	},
	"413 BODY_TOO_LARGE": func(s *testsite.Site) testsite.Answer {
		return s.Post("/api/custom/session", `{"metadata":{"x":"`+strings.Repeat("x", 64<<10)+`"}}`)
	},
	"415 UNSUPPORTED_MEDIA_TYPE": func(s *testsite.Site) testsite.Answer {
		return s.Post("/api/custom/session", "a=b", "Content-Type: application/x-www-form-urlencoded")
	},
	"429 RATE_LIMITED": func(s *testsite.Site) testsite.Answer {
		cookie, _, _ := strings.Cut(s.Session().Header.Get("Set-Cookie"), ";")
		s.Session("Cookie: " + cookie)
		return s.Session("Cookie: " + cookie)
	},
	"403 REJECTED": func(s *testsite.Site) testsite.Answer {
		testsite.Set(s.T, s.Backend, sandbox.Status403)
		return s.Session()
	},
	"502 SESSION_ERROR": func(s *testsite.Site) testsite.Answer {
		testsite.Set(s.T, s.Backend, sandbox.Refuse)
		testsite.Set(s.T, s.OpenAI, sandbox.Status500)
		return s.Session()
	},
	"503 SESSION_ERROR": func(s *testsite.Site) testsite.Answer {
		for _, name := range []string{"backend", "openai"} {
			testsite.Do(s.T, s.Client, http.MethodPost, s.Admin+"/chatkit/providers/"+name+"/open", `{"for":"10m"}`)
		}
		return s.Session()
	},
	"504 SESSION_ERROR": func(s *testsite.Site) testsite.Answer {
		testsite.Set(s.T, s.Backend, sandbox.Refuse)
		testsite.Set(s.T, s.OpenAI, sandbox.Hang)
		return s.Session()
	},
}

// exampleHead is the first line of an example of an error.
var exampleHead = regexp.MustCompile(`^HTTP/1\.1 (\d+) `)

// documentedErrors are the examples of the page by status and code: their headers
// and the body.
func documentedErrors(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for _, s := range shipped.Snippets(t, httpAPI, "http") {
		m := exampleHead.FindStringSubmatch(s.Text)
		if m == nil {
			continue // a request
		}
		headers, body, _ := strings.Cut(s.Text, "\n\n")
		var problem struct{ Code string }
		if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Code == "" {
			continue // an answer that is no error
		}
		key := m[1] + " " + problem.Code
		if all[key] != nil {
			t.Errorf("%s: %s has two examples", s, key)
		}
		all[key] = append(strings.Split(headers, "\n")[1:], strings.TrimSpace(body))
	}
	return all
}

// The examples of errors are what the product answers, and there is one for each
// code.
func TestErrorExamples(t *testing.T) {
	documented := documentedErrors(t)
	for key, produce := range errorExamples {
		t.Run(key, func(t *testing.T) {
			block := errorSite
			if key == "401 UNAUTHORIZED" {
				block = strings.Replace(block, "anonymous", "", 1)
			}
			s := testsite.New(t, block)
			a := produce(s)
			got := fmt.Sprintf("%d %v", a.Status, a.Body["code"])
			if got != key {
				t.Fatalf("got %s: %s", got, a.Raw)
			}
			example := documented[key]
			if example == nil {
				t.Fatalf("%s has no example of it; the answer is\n%v\n%s", httpAPI, a.Header, a.Raw)
			}
			for _, line := range example[:len(example)-1] {
				name, value, _ := strings.Cut(line, ": ")
				if a.Header.Get(name) == "" || value != "…" && a.Header.Get(name) != value {
					t.Errorf("%s is %q, the page has %q", name, a.Header.Get(name), value)
				}
			}
			if body := example[len(example)-1]; body != strings.TrimSpace(a.Raw) {
				t.Errorf("got\n%s, the page has\n%s", a.Raw, body)
			}
		})
	}
	for key := range documented {
		if errorExamples[key] == nil {
			t.Errorf("%s has an example of %s, which no test produces", httpAPI, key)
		}
	}
}

// Every code of the product has an example, and a row in the table.
func TestErrorCodes(t *testing.T) {
	code, err := os.ReadFile(filepath.Join("..", "caddymodule", "problem", "problem.go"))
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`(?m)^\tCode\w+\s+= "([A-Z_]+)"$`).FindAllStringSubmatch(string(code), -1)
	if len(codes) < 10 {
		t.Fatalf("only %d codes found", len(codes))
	}
	page := shipped.ReadPage(t, httpAPI)
	for _, m := range codes {
		if !strings.Contains(page, "| `"+m[1]+"` |") {
			t.Errorf("the table lacks %s", m[1])
		}
		if !slices.ContainsFunc(keys(errorExamples), func(key string) bool { return strings.HasSuffix(key, " "+m[1]) }) {
			t.Errorf("%s has no example", m[1])
		}
	}
}

func keys[V any](m map[string]V) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}
