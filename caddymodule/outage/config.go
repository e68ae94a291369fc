package outage

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-chatkit/caddy-chatkit/caddymodule/block"
	"github.com/caddy-chatkit/caddy-chatkit/internal/handback"
	"github.com/caddy-chatkit/caddy-chatkit/internal/outage"
)

// maxMemory is how many items of a thread may be remembered.
const maxMemory = 200

// MemoryConfig says how much of backends' threads stand-ins may see.
type MemoryConfig struct {
	// How many messages of a backend's thread are remembered, of those that passed by
	// last. A stand-in gets them with the message it answers. At most 200. Default:
	// 0, none. Hazard: with a model of somebody else's they leave your house.
	Items int `json:"items,omitempty"`

	// How long a message is remembered. Default: as long as its thread, which is
	// forgotten 24h after the last message.
	Life caddy.Duration `json:"life,omitempty"`
}

// ParseMemory parses `memory <n> [<duration>]`.
func ParseMemory(d *caddyfile.Dispenser, into **MemoryConfig) error {
	args, err := block.Args(d, 1, 2, "memory <n> [<duration>] (such as 20 1h)")
	if err != nil {
		return err
	}
	c := new(MemoryConfig)
	if err := block.ParseNumber(d, "memory", args[0], 0, &c.Items); err != nil {
		return err
	}
	if len(args) == 2 {
		if err := block.ParseDuration(d, "memory", args[1], &c.Life); err != nil {
			return err
		}
	}
	*into = c
	if err := c.Check(); err != nil {
		return block.Located(d, err)
	}
	return block.NoBlock(d, "memory")
}

// Check returns an error for invalid settings. Nil are the defaults.
func (c *MemoryConfig) Check() error {
	switch {
	case c == nil:
		return nil
	case c.Items < 0 || c.Items > maxMemory:
		return fmt.Errorf("memory: %d is not a number of messages from 0 to %d", c.Items, maxMemory)
	case c.Life < 0:
		return fmt.Errorf("memory: %s is negative", time.Duration(c.Life))
	}
	return nil
}

func (c *MemoryConfig) settings() (m outage.Memory) {
	if c != nil {
		m.Items, m.Life = c.Items, time.Duration(c.Life)
	}
	return m
}

// HandbackConfig says who is told what backends have missed.
type HandbackConfig struct {
	// The URL that gets what was said in an outage: one POST for each thread when a
	// backend is back, `{"user", "thread_id", "items"}`, at least once. http or https.
	// Required. It may contain a secret: use `{env.*}` or `{file.*}`. It is never
	// logged. Hazard: what an answer other than 2xx has refused is sent again, for
	// 24h; it is lost when the process ends.
	URL string `json:"url,omitempty"`

	// The secret that the requests are signed with, as Standard Webhooks has it:
	// whsec_ and 24 to 64 bytes in base64. Default: they are not signed. Use
	// `{env.*}` or `{file.*}`: a secret written here in full can be read in /config/.
	Secret string `json:"secret,omitempty"`
}

// ParseHandback parses `handback <url> [<secret>]`.
func ParseHandback(d *caddyfile.Dispenser, into **HandbackConfig) error {
	args, err := block.Args(d, 1, 2, "handback <url> [<secret>]")
	if err != nil {
		return err
	}
	c := &HandbackConfig{URL: args[0]}
	if len(args) == 2 {
		c.Secret = args[1]
	}
	*into = c
	return block.NoBlock(d, "handback")
}

// resolve returns the URL and the secret.
func (c *HandbackConfig) resolve() (address, secret string, err error) {
	r := block.NewResolver()
	if address, err = r.Required("url", c.URL); err != nil {
		return "", "", err
	}
	if secret, err = r.Optional("secret", c.Secret); err != nil {
		return "", "", err
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", errors.New("url: value is not an http or https URL")
	}
	return address, secret, nil
}

// endpoint returns who is told.
func (c *HandbackConfig) endpoint() (*handback.Endpoint, error) {
	address, secret, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return handback.NewEndpoint(address, secret)
}
