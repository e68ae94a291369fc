package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// adminAPI asks the admin API of the demo's Caddy, as an operator does, so the
// demo knows only what an operator can know.
type adminAPI struct{ url string }

// adminLimit is the time limit of a request to the admin API.
const adminLimit = 2 * time.Second

// adminProvider holds the fields of the admin API's answer that are used.
type adminProvider struct {
	Name      string     `json:"name"`
	State     string     `json:"state"`
	OpenUntil *time.Time `json:"open_until"`
	Forced    *struct {
		Until time.Time `json:"until"`
	} `json:"forced"`
	States []struct {
		State string    `json:"state"`
		At    time.Time `json:"at"`
	} `json:"states"`
}

func (a *adminAPI) address() string { return strings.TrimPrefix(a.url, "http://") }

// status returns the providers.
func (a *adminAPI) status(ctx context.Context) ([]adminProvider, error) {
	var answer struct {
		Providers []adminProvider `json:"providers"`
	}
	raw, status, err := a.ask(ctx, http.MethodGet, "/chatkit/status", "")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("admin API answered %d", status)
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("reading the status: %w", err)
	}
	return answer.Providers, nil
}

// forces are the paths of the page's buttons, and what they ask the admin API for.
// Nothing else of it can be reached by the page.
var forces = map[string]string{
	"backend/open": "/chatkit/providers/backend/open", "openai/open": "/chatkit/providers/openai/open",
	"backend/close": "/chatkit/providers/backend/close", "openai/close": "/chatkit/providers/openai/close",
	"backend/auto": "/chatkit/providers/backend/auto", "openai/auto": "/chatkit/providers/openai/auto",
}

// force forces a breaker for a minute, as the page asks for it.
func (a *adminAPI) force(w http.ResponseWriter, r *http.Request) {
	path, ok := forces[r.PathValue("provider")+"/"+r.PathValue("action")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	raw, status, err := a.ask(r.Context(), http.MethodPost, path, `{"for":"1m","reason":"trying it out","by":"the demo's page"}`)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

func (a *adminAPI) ask(ctx context.Context, method, path, body string) (raw []byte, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, adminLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, 0, fmt.Errorf("asking the admin API: %w", err)
	}
	defer resp.Body.Close()
	raw, err = io.ReadAll(resp.Body)
	return raw, resp.StatusCode, err
}
