package caddymodule_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// The kinds of WebSocket frames (RFC 6455, section 5.2).
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
	fin        = 0x80
)

// frame is a WebSocket frame as it stands on the wire, unmasked.
type frame struct {
	first   byte // fin and the kind
	payload string
}

// bytes is the frame on the wire, masked where a client sends it.
func (f frame) bytes(masked bool) []byte {
	b := []byte{f.first}
	switch n := len(f.payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	if !masked {
		return append(b, f.payload...)
	}
	b[1] |= 0x80
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i := range len(f.payload) {
		b = append(b, f.payload[i]^mask[i%4])
	}
	return b
}

// readFrame reads a frame and takes its mask off.
func readFrame(r io.Reader) (f frame, err error) {
	var head [2]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	size, long := uint64(head[1]&0x7F), make([]byte, 8)
	if wide := map[uint64]int{126: 2, 127: 8}[size]; wide > 0 {
		if _, err = io.ReadFull(r, long[8-wide:]); err != nil {
			return f, err
		}
		size = binary.BigEndian.Uint64(long)
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err = io.ReadFull(r, mask[:]); err != nil {
			return f, err
		}
	}
	payload := make([]byte, size)
	if _, err = io.ReadFull(r, payload); err != nil {
		return f, err
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return frame{head[0], string(payload)}, nil
}

// acceptSocket opens the backend's end of a WebSocket.
func acceptSocket(w http.ResponseWriter, r *http.Request) (net.Conn, *bufio.ReadWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Access-Control-Allow-Origin: https://backend.example.com\r\n"+
		"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return conn, rw
}

// echoSocket is a backend that sends every frame back as it came, and hangs up
// after the one that closes. A text "cut" makes it hang up at once.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		http.Error(w, "not a WebSocket request", http.StatusUpgradeRequired)
		return
	}
	conn, rw := acceptSocket(w, r)
	defer conn.Close()
	for {
		f, err := readFrame(rw)
		if err != nil || f.payload == "cut" {
			return
		}
		if f.first == fin|opPing {
			f.first = fin | opPong
		}
		if _, err = conn.Write(f.bytes(false)); err != nil || f.first == fin|opClose {
			return
		}
	}
}

// socket is the client's end of a WebSocket.
type socket struct{ *testsite.Wire }

const lastSocket = "/api/ws/chat/session-1"

// upgrade asks for a WebSocket and returns the answer.
func (s *site) upgrade(path string, headers ...string) (*testsite.Wire, testsite.Begun) {
	s.T.Helper()
	w := s.Dial()
	all := append([]string{
		"GET " + path + " HTTP/1.1", "Host: 127.0.0.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, headers...)
	if _, err := io.WriteString(w, strings.Join(all, "\r\n")+"\r\n\r\n"); err != nil {
		s.T.Fatal(err)
	}
	resp, err := http.ReadResponse(w.R, nil)
	if err != nil {
		s.T.Fatal(err)
	}
	s.AwaitItsLog(resp)
	s.T.Cleanup(func() {
		_ = resp.Body.Close()
		_ = w.Close()
	})
	return w, testsite.Begun{Response: resp}
}

// socket opens a WebSocket.
func (s *site) socket(headers ...string) socket {
	s.T.Helper()
	w, resp := s.upgrade(lastSocket, headers...)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		s.T.Fatalf("got %s", resp.Status)
	}
	return socket{w}
}

// say sends frames, in the background: they may be larger than all that lies
// between the two ends.
func (c socket) say(frames ...frame) {
	for _, f := range frames {
		c.Send(string(f.bytes(true)))
	}
}

// hear reads a frame.
func (c socket) hear(want frame) {
	c.T.Helper()
	got, err := readFrame(c.R)
	if err != nil || got != want {
		c.T.Errorf("got %.20q of %d bytes and %v, want %.20q of %d", got.payload, len(got.payload), err, want.payload, len(want.payload))
	}
}

// code is the payload of a frame that closes.
func code(status uint16, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, status)) + reason
}

// echoing starts a site with an echoing backend.
func echoing(t *testing.T, options string) *site {
	t.Helper()
	s := newSite(t, testsite.Backends(options, testsite.OwnBackend(t, echoSocket)))
	return s
}
