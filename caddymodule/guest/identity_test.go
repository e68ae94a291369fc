package guest

import (
	"os"
	"strings"
	"testing"
)

// Two instances have the same provider if everything but the secrets is the same.
func TestIdentity(t *testing.T) {
	t.Setenv("EU", "https://eu.example.com")
	const base = `{"name":"a","provider":{"module":"backend","url":"https://eu.example.com","key":"one"}}`
	of := func(settings string) string {
		id, err := identityOf([]byte(settings))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for name, c := range map[string]struct {
		settings string
		same     bool
	}{
		"another key":                {`{"name":"a","provider":{"module":"backend","url":"https://eu.example.com","key":"two"}}`, true},
		"another token":              {`{"name":"a","provider":{"module":"backend","url":"https://eu.example.com","api_token":"x"}}`, true},
		"a placeholder for the same": {`{"name":"a","provider":{"module":"backend","url":"{env.EU}","key":"one"}}`, true},
		"another url":                {`{"name":"a","provider":{"module":"backend","url":"https://us.example.com","key":"one"}}`, false},
		"another timeout":            {`{"name":"a","timeout":1,"provider":{"module":"backend","url":"https://eu.example.com","key":"one"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if same := of(c.settings) == of(base); same != c.same {
				t.Errorf("the same: %v", same)
			}
		})
	}
	if strings.Contains(of(base), "one") {
		t.Error("the identity has the key")
	}
	if _, err := identityOf([]byte("{")); err == nil {
		t.Error("no error")
	}
}

// A server on this machine is not that of another machine.
func TestIdentityOfThisMachine(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for url, local := range map[string]bool{
		"http://127.0.0.1:8000": true, "http://localhost:8000": true, "http://app.localhost": true, "http://[::1]:8000": true,
		"unix//run/app.sock": true, "http://10.0.0.1": false, "https://localhost.example.com": false, "backend": false, "": false,
	} {
		id, err := identityOf([]byte(`{"url":"` + url + `"}`))
		if err != nil || strings.HasSuffix(id, "@"+machine) != local {
			t.Errorf("%q: got %v %s, want it to be this machine's: %v", url, err, id, local)
		}
	}
}
