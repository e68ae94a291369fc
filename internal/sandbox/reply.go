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
	secret      string // handed out by this answer; "" for none
}

// jsonReply is a reply whose body is JSON already.
func jsonReply(status int, body []byte) reply {
	return reply{status: status, contentType: typeJSON, body: body}
}

// marshaled is a reply with v as its JSON body.
func marshaled(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		// Only what a client sent and json itself decoded gets here; should it
		// fail all the same, the test at the other end sees this.
		return reply{http.StatusInternalServerError, typeText, []byte(err.Error()), ""}
	}
	return jsonReply(status, body)
}

// write sends the reply with its length. That the client may be gone is its
// own affair.
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

// flush pushes what was written so far onto the wire; a client that is gone
// needs no more.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// drop takes the connection from net/http and ends it with end. It is the last
// thing a handler does.
func drop(w http.ResponseWriter, end func(net.Conn)) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // closed already: nothing is left to drop
	}
	end(conn)
}

// sever closes conn with FIN and, under TLS, without goodbye.
func sever(conn net.Conn) { _ = transport(conn).Close() }
