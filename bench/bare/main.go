// Command bare is the floor of compare.sh: the least that a session exchange takes with
// net/http. It reads a session request, asks the backend, and answers with the session.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// session is the backend's answer, and ours.
type session struct {
	Secret    string `json:"client_secret"`
	ID        string `json:"session_id,omitempty"`
	ExpiresAt string `json:"expires_at"`
	Model     string `json:"model"`
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bare <address> <url of the backend>")
	}
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	handler := func(w http.ResponseWriter, r *http.Request) {
		s, err := exchange(client, os.Args[2], r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s)
	}
	srv := &http.Server{Addr: os.Args[1], Handler: http.HandlerFunc(handler), ReadHeaderTimeout: time.Second}
	log.Fatal(srv.ListenAndServe())
}

// exchange asks the backend for the session of a request.
func exchange(client *http.Client, url string, r *http.Request) (s session, err error) {
	body := map[string]string{"user_id": "anon"}
	if r.ContentLength != 0 {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return s, fmt.Errorf("reading request: %w", err)
		}
	}
	out, err := json.Marshal(body)
	if err != nil {
		return s, fmt.Errorf("building request: %w", err)
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, url, bytes.NewReader(out)) //nolint:gosec // the url is an argument of the command
	if err != nil {
		return s, fmt.Errorf("building request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req) //nolint:gosec // as above
	if err != nil {
		return s, fmt.Errorf("asking the backend: %w", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("reading answer: %w", err)
	}
	s.Secret, s.ID = s.ID, ""
	return s, nil
}
