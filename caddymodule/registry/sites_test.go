package registry

import (
	"slices"
	"testing"
)

func TestSiteNames(t *testing.T) {
	for _, tt := range []struct {
		name       string
		site, want []string
	}{
		{"the usual port", []string{"app.example.com@:443"}, []string{"app.example.com"}},
		{"two usual ports", []string{"app.example.com@:443,:80"}, []string{"app.example.com"}},
		{"another port", []string{"a.test@:8443", "b.test@:8443"}, []string{"a.test:8443", "b.test:8443"}},
		{"any host", []string{"*@:443,127.0.0.1:8080"}, []string{":443", "127.0.0.1:8080"}},
		{"not known", unknownSite, nil},
		{"nothing to read", []string{"a.test@bad/:x"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := siteNames(tt.site); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
