package registry

import (
	"slices"
	"testing"
)

func TestSiteNames(t *testing.T) {
	for _, tt := range []struct {
		name                string
		hosts, listen, want []string
	}{
		{"the usual port", []string{"app.example.com"}, []string{":443"}, []string{"app.example.com"}},
		{"another port", []string{"a.test", "b.test"}, []string{":8443"}, []string{"a.test:8443", "b.test:8443"}},
		{"any host", nil, []string{":443", "127.0.0.1:8080"}, []string{":443", "127.0.0.1:8080"}},
		{"nothing to read", []string{"a.test"}, []string{"bad/:x"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := siteNames(tt.hosts, tt.listen); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
