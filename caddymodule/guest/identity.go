package guest

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// secretWords are what the names of fields with secrets have in them.
var secretWords = []string{"key", "token", "secret", "password", "credential", "authorization"}

// identityOf returns the settings of a provider as the other instances of a fleet
// have them too: without secrets, which may be rotated one instance after the other,
// and with the placeholders replaced. A server on this machine is another one than
// that on the next machine, so there the machine's name belongs to it.
func identityOf(settings []byte) (string, error) {
	var v any
	if err := json.Unmarshal(settings, &v); err != nil {
		return "", err
	}
	local := false
	plain, err := json.Marshal(identify(v, caddy.NewReplacer(), &local))
	if err != nil {
		return "", err
	}
	if !local {
		return string(plain), nil
	}
	machine, err := os.Hostname()
	if err != nil {
		return "", err
	}
	return string(plain) + "@" + machine, nil
}

// identify returns a value without secrets and placeholders, and notes whether an
// address in it is this machine's.
func identify(v any, repl *caddy.Replacer, local *bool) any {
	switch v := v.(type) {
	case map[string]any:
		plain := make(map[string]any, len(v))
		for name, inner := range v {
			if !holdsSecret(name) {
				plain[name] = identify(inner, repl, local)
			}
		}
		return plain
	case []any:
		plain := make([]any, len(v))
		for i, inner := range v {
			plain[i] = identify(inner, repl, local)
		}
		return plain
	case string:
		text := strings.TrimSpace(repl.ReplaceKnown(v, ""))
		*local = *local || isLocal(text)
		return text
	}
	return v
}

func holdsSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

// isLocal reports whether an address leads to this machine.
func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix/") || strings.HasPrefix(address, "unix:") {
		return true
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
