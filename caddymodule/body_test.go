package caddymodule_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const mostBody = 64 << 10

// padded is a good body of exactly n bytes.
func padded(n int) string {
	const front, back = `{"metadata":{"p":"`, `"}}`
	return front + strings.Repeat("x", n-len(front)-len(back)) + back
}

// starter is what the starter app sends.
const starter = `{"workflow":{"id":"wf_123"},"workflowId":"wf_123","scope":{"user_id":"mallory"},
	"chatkit_configuration":{"file_upload":{"enabled":true}}}`

// Bodies that are taken, and what of them reaches the backend beside the user.
func TestBodiesTaken(t *testing.T) {
	tests := []struct{ name, body, contentType, sent string }{
		{"empty", "", "", `{}`},
		{"empty JSON", "", "application/json", `{}`},
		{"white space", " \r\n\t ", "application/json", `{}`},
		{"empty object", `{}`, "application/json", `{}`},
		{"all fields", `{"model":"m","metadata":{"a":[1,{"b":null}]},"currentClientSecret":"session-old","token":"t"}`, "application/json", `{"model":"m","metadata":{"a":[1,{"b":null}]}}`},
		{"nulls", `{"model":null,"metadata":null,"currentClientSecret":null,"token":null}`, "application/json", `{}`},
		{"empty values", `{"model":"","metadata":{},"token":""}`, "application/json", `{"metadata":{}}`},
		{"unknown fields", `{"model":"m","x":[1],"y":{"z":{}},"temperature":0.5}`, "application/json", `{"model":"m"}`},
		{"starter app", starter, "application/json", `{}`},
		{"user in the body", `{"user":"mallory","user_id":"mallory","model":"m"}`, "application/json", `{"model":"m"}`},
		{"user in the metadata stays there", `{"metadata":{"user_id":"mallory"}}`, "application/json", `{"metadata":{"user_id":"mallory"}}`},
		{"text/plain", `{"model":"m"}`, "text/plain;charset=UTF-8", `{"model":"m"}`},
		{"no content type", `{"model":"m"}`, "", `{"model":"m"}`},
		{"JSON in capitals", `{"model":"m"}`, "Application/JSON; Charset=utf-8", `{"model":"m"}`},
		{"any other content type", `{"model":"m"}`, "application/vnd.api+json", `{"model":"m"}`},
		{"garbage for a content type", `{"model":"m"}`, ";;;", `{"model":"m"}`},
		{"white space around", " \n{\"model\":\"m\"}\n ", "", `{"model":"m"}`},
		{"umlauts and escapes", `{"model":"gr\u00fcn ü 😀 \" \\"}`, "", `{"model":"grün ü 😀 \" \\"}`},
		{"big numbers stay as they are", `{"metadata":{"id":12345678901234567890,"f":1.50e300}}`, "", `{"metadata":{"id":12345678901234567890,"f":1.50e300}}`},
		{"32 levels", `{"metadata":` + strings.Repeat(`{"a":`, 30) + "[]" + strings.Repeat("}", 31), "", `{"metadata":` + strings.Repeat(`{"a":`, 30) + "[]" + strings.Repeat("}", 31)},
		{"longest model", `{"model":"` + strings.Repeat("ü", 128) + `"}`, "", `{"model":"` + strings.Repeat("ü", 128) + `"}`},
		{"emoji in escapes", `{"metadata":{"a":"\ud83d\ude00"}}`, "", `{"metadata":{"a":"😀"}}`},
		{"64 KiB", padded(mostBody), "", padded(mostBody)},
	}
	s := newSite(t, "\n user {http.request.header.X-User}"+quick("timeout 1s"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Backend.Clear()
			headers := []string{"X-User: alice"}
			if tt.contentType != "" {
				headers = append(headers, "Content-Type: "+tt.contentType)
			}
			a := s.Post("/api/custom/session?user_id=mallory", tt.body, headers...)
			if a.Status != http.StatusOK || a.Provider() != "backend" {
				t.Fatalf("got %d from %q: %s", a.Status, a.Provider(), a.Raw)
			}
			got, want := object(t, s.Backend.Requests()[0].Body), object(t, []byte(tt.sent))
			want["user_id"] = "alice"
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the backend got %v, want %v", got, want)
			}
			if query := s.Backend.Requests()[0].Query; query != "" {
				t.Errorf("the backend got the query %q", query)
			}
		})
	}
}

// object reads a JSON object, its numbers as they are written.
func object(t *testing.T, text []byte) (v map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return v
}

// Bodies that are refused; no provider is asked, and the details name the field.
func TestBodiesRefused(t *testing.T) {
	const (
		noObject = "Body is not a JSON object"
		noJSON   = "Body is not valid JSON"
		noLevel  = "Body is nested deeper than 32 levels"
		noModel  = "Field model has more than 256 bytes or a control character"
	)
	const deep = 20_000
	tests := []struct{ name, body, details string }{
		{"array", `[{}]`, noObject},
		{"number", `5`, noObject},
		{"string", `"{}"`, noObject},
		{"null", `null`, noObject},
		{"true", `true`, noObject},
		{"text", `model=m`, noObject},
		{"HTML", `<!doctype html>`, noObject},
		{"byte order mark", "\ufeff{}", noObject},
		{"20,000 brackets", strings.Repeat("[", deep) + strings.Repeat("]", deep), noObject},
		{"20,000 brackets in a field", `{"metadata":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`, noJSON},
		{"cut short", `{"model":"m"`, noJSON},
		{"open brace", `{`, noJSON},
		{"trailing comma", `{"model":"m",}`, noJSON},
		{"single quotes", `{'model':'m'}`, noJSON},
		{"two objects", `{}{}`, noJSON},
		{"text behind", `{} x`, noJSON},
		{"NUL", "{\"model\":\"a\x00b\"}", noJSON},
		{"invalid UTF-8 in the model", "{\"model\":\"a\xffb\"}", noJSON},
		{"invalid UTF-8 in the metadata", "{\"metadata\":{\"a\":\"\xc3\x28\"}}", noJSON},
		{"10,500 braces in an unknown field", `{"x":` + strings.Repeat(`{"a":`, 10_500) + `1` + strings.Repeat("}", 10_501), noJSON},
		{"33 levels", `{"metadata":` + strings.Repeat(`{"a":`, 31) + "[]" + strings.Repeat("}", 32), noLevel},
		{"33 levels in an unknown field", `{"x":` + strings.Repeat(`[`, 32) + strings.Repeat("]", 32) + `}`, noLevel},
		{"lone surrogate in the metadata", `{"metadata":{"x":"\ud800"}}`, "Body has a lone surrogate"},
		{"lone surrogate in an unknown field", `{"x":["\udc00"]}`, "Body has a lone surrogate"},
		{"lone surrogate in a name", `{"metadata":{"\ud800":1}}`, "Body has a lone surrogate"},
		{"escaped NUL in the metadata", `{"metadata":{"x":"\u0000"}}`, "Body has a NUL character"},
		{"escaped NUL in an unknown field", `{"x":"\u0000"}`, "Body has a NUL character"},
		{"number beyond a float64", `{"metadata":{"x":1e999}}`, "Body has a number that is too large"},
		{"number beyond a float64 in an unknown field", `{"temperature":-1e400}`, "Body has a number that is too large"},
		{"model twice", `{"model":"a","model":"b"}`, "Body has an object with the same name twice"},
		{"name twice in the metadata", `{"metadata":{"a":1,"a":2}}`, "Body has an object with the same name twice"},
		{"model too long", `{"model":"` + strings.Repeat("x", 257) + `"}`, noModel},
		{"model with a line break", `{"model":"a\nb"}`, noModel},
		{"model with a C1 control", `{"model":"a\u0085b"}`, noModel},
		{"model is a number", `{"model":5}`, "Field model is not a string"},
		{"model is an object", `{"model":{}}`, "Field model is not a string"},
		{"token is a list", `{"token":[]}`, "Field token is not a string"},
		{"currentClientSecret is true", `{"currentClientSecret":true}`, "Field currentClientSecret is not a string"},
		{"metadata is a string", `{"metadata":"m"}`, "Field metadata is not an object"},
		{"metadata is a list", `{"metadata":[1]}`, "Field metadata is not an object"},
		{"metadata is a number", `{"metadata":0}`, "Field metadata is not an object"},
	}
	s := newSite(t, visitor)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.Post("/api/custom/session", tt.body)
			if a.Status != http.StatusBadRequest || a.Body["code"] != "BAD_REQUEST" || a.Body["details"] != tt.details {
				t.Errorf("got %d, want 400 BAD_REQUEST %q: %s", a.Status, tt.details, a.Raw)
			}
		})
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 0 {
		t.Errorf("the providers were asked %d times, want never", got)
	}
}

func TestFormsAreRefused(t *testing.T) {
	s := newSite(t, visitor)
	for _, contentType := range []string{
		"application/x-www-form-urlencoded",
		"application/x-www-form-urlencoded; charset=UTF-8",
		"APPLICATION/X-WWW-FORM-URLENCODED",
		"multipart/form-data; boundary=x",
		"multipart/form-data",
		"multipart/form-data; a=b; a=c",
		" multipart/form-data ;boundary",
	} {
		for _, body := range []string{"", `{}`, "a=b"} {
			a := s.Post("/api/custom/session", body, "Content-Type: "+contentType)
			if a.Status != http.StatusUnsupportedMediaType || a.Body["code"] != "UNSUPPORTED_MEDIA_TYPE" {
				t.Errorf("%q with body %q: got %d, want 415: %s", contentType, body, a.Status, a.Raw)
			}
		}
	}
	if got := s.Backend.Calls() + s.OpenAI.Calls(); got != 0 {
		t.Errorf("the providers were asked %d times, want never", got)
	}
}

// The limit holds with and without a Content-Length.
func TestBodyLimit(t *testing.T) {
	s := newSite(t, visitor)
	for _, tt := range []struct {
		name   string
		size   int
		status int
	}{
		{"64 KiB", mostBody, 200}, {"one more", mostBody + 1, 413}, {"300 KiB", 300 << 10, 413}, {"5 MiB", 5 << 20, 413},
	} {
		for how, body := range map[string]io.Reader{
			"sized":   strings.NewReader(padded(tt.size)),
			"chunked": struct{ io.Reader }{strings.NewReader(padded(tt.size))},
		} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				resp, err := s.Client.Post(s.URL+"/api/custom/session", "application/json", body)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if resp.StatusCode != tt.status {
					t.Errorf("got %d, want %d", resp.StatusCode, tt.status)
				}
			})
		}
	}
	if got := s.Backend.Calls(); got != 2 {
		t.Errorf("backend was called %d times, want 2", got)
	}
}
