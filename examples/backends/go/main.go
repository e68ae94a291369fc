// Command go is a chat backend as caddy-chatkit expects it, with the standard
// library and a package for WebSockets. It keeps its sessions in memory and says
// back what it is told: put your model where reply is called.
package main

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/websocket"
)

// lifetime is how long a session lasts.
const lifetime = time.Hour

// session belongs to a user, until it expires.
type session struct {
	user    string
	expires time.Time
}

// backend holds the sessions by their secret.
type backend struct {
	key string // that Caddy sends, "" for none

	mu       sync.Mutex
	sessions map[string]session
}

func main() {
	b := &backend{key: os.Getenv("CUSTOM_BACKEND_KEY"), sessions: make(map[string]session)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/sessions", b.create)
	mux.HandleFunc("POST /api/chat", b.message)
	mux.HandleFunc("POST /api/chat/stream", b.stream)
	mux.Handle("GET /ws/chat/{session}", websocket.Server{Handler: b.socket})
	listener, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), cmp.Or(os.Getenv("PORT"), "8000")))
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("running on http://%s", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// create answers a session request of Caddy.
func (b *backend) create(w http.ResponseWriter, r *http.Request) {
	if b.key != "" && subtle.ConstantTimeCompare([]byte(bearer(r)), []byte(b.key)) != 1 {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "wrong key"})
		return
	}
	var asked struct {
		UserID   string         `json:"user_id"`
		Model    string         `json:"model"`
		Metadata map[string]any `json:"metadata"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.UserID == "" {
		answer(w, http.StatusUnprocessableEntity, map[string]string{"error": "user_id is missing"})
		return
	}
	id, expires := rand.Text(), time.Now().Add(lifetime).UTC()
	b.mu.Lock()
	b.sessions[id] = session{asked.UserID, expires}
	b.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"session_id": id, "expires_at": expires.Format(time.RFC3339), "model": asked.Model, "metadata": asked.Metadata,
	})
}

// find returns the user of a session. It forgets a session that has expired.
func (b *backend) find(id string) (user string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.sessions[id]
	if !ok || time.Now().After(s.expires) {
		delete(b.sessions, id)
		return "", false
	}
	return s.user, true
}

// told returns who speaks and what a request says. Without a session it answers 401.
func (b *backend) told(w http.ResponseWriter, r *http.Request) (user, text string, ok bool) {
	if user, ok = b.find(bearer(r)); !ok {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "unknown session"})
		return "", "", false
	}
	var body struct {
		Message string `json:"message"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		answer(w, http.StatusUnprocessableEntity, map[string]string{"error": "message is missing"})
		return "", "", false
	}
	return user, body.Message, true
}

// message answers in one piece.
func (b *backend) message(w http.ResponseWriter, r *http.Request) {
	if user, text, ok := b.told(w, r); ok {
		answer(w, http.StatusOK, map[string]string{"reply": reply(user, text)})
	}
}

// stream answers word by word, as server-sent events.
func (b *backend) stream(w http.ResponseWriter, r *http.Request) {
	user, text, ok := b.told(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for word := range strings.SplitAfterSeq(reply(user, text), " ") {
		delta, _ := json.Marshal(map[string]string{"delta": word})
		if _, err := fmt.Fprintf(w, "data: %s\n\n", delta); err != nil {
			return // the client has left
		}
		_ = flush.Flush()
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
}

// socket answers each message on a WebSocket with one.
func (b *backend) socket(ws *websocket.Conn) {
	user, ok := b.find(ws.Request().PathValue("session"))
	if !ok {
		return
	}
	for {
		var body struct {
			Message string `json:"message"`
		}
		if websocket.JSON.Receive(ws, &body) != nil {
			return
		}
		if websocket.JSON.Send(ws, map[string]string{"reply": reply(user, body.Message)}) != nil {
			return
		}
	}
}

// reply is where a model would be asked.
func reply(user, text string) string { return user + " said: " + text }

// bearer returns the token of a request.
func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
