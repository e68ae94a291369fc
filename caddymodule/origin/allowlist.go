package origin

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
)

// origins is an allowlist of origins, as browsers write them. A wildcard stands as
// "*" in front of the rest of the host.
type origins map[string]bool

// newOrigins returns the list, with placeholders replaced.
func newOrigins(configured []string) (origins, error) {
	list := make(origins, len(configured))
	for _, text := range configured {
		o, err := block.NewResolver().Required("origin", text)
		if err != nil {
			return nil, err
		}
		if o, err = parseOrigin(o); err != nil {
			return nil, err
		}
		list[o] = true
	}
	return list, nil
}

// allow reports whether an origin is on the list. A wildcard stands for one label,
// as in Caddy's site addresses.
func (l origins) allow(origin string) bool {
	origin = strings.ToLower(origin)
	if l[origin] {
		return true
	}
	scheme, host, _ := strings.Cut(origin, "://")
	label, rest, ok := strings.Cut(host, ".")
	return ok && validLabel(label) && l[scheme+"://*."+rest]
}

// validLabel reports whether a label of a host can be one that a browser sends.
func validLabel(label string) bool {
	return label != "" && strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// parseOrigin returns an origin as browsers write it: in lower case, the host in
// ASCII, without the default port. It may have a wildcard as its first label.
func parseOrigin(text string) (string, error) {
	if text == "*" {
		return "", errors.New(`"*" is not allowed; to allow every site, without credentials, leave origins out`)
	}
	scheme, host, ok := strings.Cut(strings.ToLower(text), "://")
	if !ok || scheme == "" || strings.Contains(scheme, "*") {
		return "", fmt.Errorf("invalid origin %q (want scheme://host[:port])", text)
	}
	rest := strings.TrimPrefix(host, "*.")
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || strings.Contains(rest, "*") || u.Hostname() == "" || u.Host != rest {
		return "", fmt.Errorf("invalid origin %q (want scheme://host[:port], with *. for subdomains)", text)
	}
	name, err := asciiHost(u.Hostname())
	if err != nil {
		return "", fmt.Errorf("invalid origin %q: %w", text, err)
	}
	if port := u.Port(); port != "" && port != defaultPorts[scheme] {
		name += ":" + port
	}
	return scheme + "://" + host[:len(host)-len(rest)] + name, nil
}

// defaultPorts are the ports that browsers leave out.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// asciiHost returns a host as browsers write it. Hosts in ASCII are taken as they
// are: browsers take more of them than the standard has.
func asciiHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		return "[" + host + "]", nil
	}
	for _, c := range host {
		if c > 127 {
			return idna.Lookup.ToASCII(host)
		}
	}
	return host, nil
}
