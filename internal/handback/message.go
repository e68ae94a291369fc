package handback

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"
	"github.com/caddy-chatkit/caddy-chatkit/internal/threads"
)

// message is what is told of a thread.
type message struct {
	User   string         `json:"user,omitempty"`
	Thread string         `json:"thread_id"`
	Items  []chatkit.Item `json:"items"`
}

// compose returns the message of the items that were missed in a thread, and its id:
// the same for the same items, so that who gets it twice can tell.
func compose(t *threads.Thread, missed []threads.Item) (id string, body []byte, err error) {
	h := sha256.New()
	h.Write([]byte(t.ID))
	for _, i := range missed {
		h.Write([]byte("\x00" + i.ID))
	}
	body, err = json.Marshal(message{t.User, t.ID, threads.Protocol(missed, t.ID)})
	return "msg_" + hex.EncodeToString(h.Sum(nil)[:16]), body, err
}
