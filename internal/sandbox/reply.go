package sandbox

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
)

// Content types of the answers.
const (
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"
	typeHTML = "text/html; charset=utf-8"
)

// reply is an answer before it is written.
type reply struct {
	status      int
	contentType string
	body        []byte
	secret      string       // contained in this answer; "" for none
	turn        *backendTurn // that the stream is; nil for none
}

// jsonReply returns a reply with a JSON body.
func jsonReply(status int, body []byte) reply {
	return reply{status: status, contentType: typeJSON, body: body}
}

// marshaled returns a reply with v as its JSON body.
func marshaled(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		// v holds only values that encoding/json has decoded from a request. If
		// it fails nevertheless, the calling test sees this answer.
		return reply{status: http.StatusInternalServerError, contentType: typeText, body: []byte(err.Error())}
	}
	return jsonReply(status, body)
}

// write sends the reply with its length. It ignores errors: the client may be
// gone.
func (a reply) write(w http.ResponseWriter) {
	a.head(w, len(a.body))
	_, _ = w.Write(a.body)
}

// head sends status and headers; a negative length makes the body chunked.
func (a reply) head(w http.ResponseWriter, length int) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	if length >= 0 {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(a.status)
}

// flush sends what was written so far. It ignores errors: the client may be gone.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// drop takes the connection from net/http and ends it with end. The handler must
// not write afterwards.
func drop(w http.ResponseWriter, end func(net.Conn)) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // already closed
	}
	end(conn)
}

// sever closes conn with FIN.
func sever(conn net.Conn) { _ = conn.Close() }
