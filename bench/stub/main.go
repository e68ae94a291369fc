// Command stub is the fast backend of compare.sh. It reads the body of a request
// and answers with a fixed session, or as "broken" with 500.
package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const answer = `{"session_id":"session-0123456789abcdef0123456789abcdef","expires_at":"2099-12-31T23:59:59Z","model":"custom-v1"}`

func main() {
	if len(os.Args) != 2 && (len(os.Args) != 3 || os.Args[2] != "broken") {
		log.Fatal("usage: stub <address> [broken]")
	}
	handler := serve
	if len(os.Args) == 3 {
		handler = fail
	}
	ln, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(handler), ReadHeaderTimeout: time.Second}
	log.Fatal(srv.Serve(ln))
}

func serve(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answer)
}

func fail(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusInternalServerError)
}
