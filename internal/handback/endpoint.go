package handback

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// timeout is how long an answer may take.
const timeout = 15 * time.Second

// The length of a secret, in bytes, as Standard Webhooks has it.
const minSecret, maxSecret = 24, 64

// Endpoint is who is told.
type Endpoint struct {
	url    string
	signer *webhooks.Webhook // nil: requests are not signed
	client *http.Client
}

// NewEndpoint returns the endpoint at a URL. An empty secret signs nothing.
func NewEndpoint(url, secret string) (*Endpoint, error) {
	e := &Endpoint{url: url, client: &http.Client{
		Timeout: timeout,
		// A redirect could lead anywhere, and what is sent is private.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if secret == "" {
		return e, nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, fmt.Errorf("secret: value is not whsec_ and %d to %d bytes in base64", minSecret, maxSecret)
	}
	e.signer, err = webhooks.NewWebhookRaw(key)
	return e, err
}

// post sends a message once. id is the same for every try.
func (e *Endpoint) post(ctx context.Context, id string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("invalid URL")
	}
	now := time.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhooks.HeaderWebhookID, id)
	r.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	if e.signer != nil {
		signature, err := e.signer.Sign(id, now, body)
		if err != nil {
			return fmt.Errorf("signing: %w", err)
		}
		r.Header.Set(webhooks.HeaderWebhookSignature, signature)
	}
	resp, err := e.client.Do(r)
	if err != nil {
		return fmt.Errorf("handback: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("handback: answered %d", resp.StatusCode)
	}
	return nil
}

// close closes idle connections.
func (e *Endpoint) close() { e.client.CloseIdleConnections() }

// withoutURL removes the URL from an error.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}
