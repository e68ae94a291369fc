package control

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The paths of the admin API that are used.
const (
	providersPath = "/chatkit/providers"
	statusPath    = "/chatkit/status"
	eventsPath    = "/chatkit/events"
	livePath      = "/chatkit/live"
	readyPath     = "/chatkit/ready"
)

// addAddressFlags adds the flags that say where the admin API is.
func addAddressFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("address", "", "Address of the admin API (default: that of --config, else localhost:2019)")
	f.String("config", "", "Configuration file to read the address from")
	f.String("adapter", "", "Config adapter for the configuration file")
}

// adminAddress returns where the admin API is.
func adminAddress(f *pflag.FlagSet) (string, error) {
	fl := caddycmd.Flags{FlagSet: f}
	address, err := caddycmd.DetermineAdminAPIAddress(fl.String("address"), nil, fl.String("config"), fl.String("adapter"))
	if err != nil {
		return "", fmt.Errorf("finding the admin API: %w", err)
	}
	return address, nil
}

// open sends a request to the admin API. The caller closes the answer's body.
func open(f *pflag.FlagSet, method, path string, body []byte) (*http.Response, error) {
	address, err := adminAddress(f)
	if err != nil {
		return nil, err
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	resp, err := caddycmd.AdminAPIRequest(address, method, path, http.Header{"User-Agent": {"chatkit-breaker"}}, r)
	if err != nil {
		return nil, explained(err, address)
	}
	return resp, nil
}

// ask sends a request and returns the answer, with its JSON in v unless that is nil.
func ask(f *pflag.FlagSet, method, path string, body []byte, v any) ([]byte, error) {
	resp, err := open(f, method, path, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || v == nil {
		return raw, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("reading answer of the admin API: %w", err)
	}
	return raw, nil
}

// explained says what an error of Caddy's client is about. It has no type.
func explained(err error, address string) error {
	text := err.Error()
	if _, answer, ok := strings.Cut(text, "caddy responded with error: HTTP "); ok {
		var body struct {
			Error  string `json:"error"`
			Reason string `json:"reason"` // of a probe
		}
		_, raw, _ := strings.Cut(answer, ": ")
		if json.Unmarshal([]byte(raw), &body) == nil && cmp.Or(body.Error, body.Reason) != "" {
			return errors.New(cmp.Or(body.Error, body.Reason))
		}
		if strings.HasPrefix(answer, "404") {
			return fmt.Errorf("the Caddy at %s has no chatkit module (HTTP 404)", address)
		}
		return err
	}
	for _, cause := range []string{"connection refused", "no such file or directory"} {
		if strings.HasSuffix(text, cause) {
			return fmt.Errorf("no admin API at %s: %s (is Caddy running? give another address with --address, or the configuration file with --config)", address, cause)
		}
	}
	return err
}

// fetchNames returns the names of the running providers, none if Caddy does not
// answer.
func fetchNames(f *pflag.FlagSet) []string {
	var all []provider
	if _, err := ask(f, http.MethodGet, providersPath, nil, &all); err != nil {
		return nil
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.ID
	}
	return names
}
