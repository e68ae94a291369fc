package caddymodule_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/caddy-chatkit/caddy-chatkit/internal/testsite"
)

// Where the server speaks extended CONNECT, net/http leaves :protocol in the header
// of any request. No transport can send it, so it is dropped: a client once opened
// the breaker for everybody by it.
func TestPseudoHeaderOverHTTP2(t *testing.T) {
	if !strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestPseudoHeaderOverHTTP2$", "-test.v")
		cmd.Env = append(os.Environ(), http2xconnect)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestPseudoHeaderOverHTTP2") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	s := newUnloadedSite(t)
	b := testsite.NewTaker(t, nil)
	s.LoadText(s.secure(testsite.Backends("", b.URL+"\n breaker {\n consecutive 1\n }")))
	for i, path := range []string{"/api/custom/message", "/api/custom/stream"} {
		if status := s.pseudo(path); status != "200" || len(b.Received()) != i+1 {
			t.Fatalf("%s: got %s, and the backend was asked %d times", path, status, len(b.Received()))
		}
		for name := range b.Received()[i].Header {
			if strings.Contains(strings.ToLower(name), "protocol") {
				t.Errorf("the backend got %s", name)
			}
		}
	}
}

// pseudo posts a request with a pseudo header that does not belong there, and
// returns the status of the answer.
func (s *site) pseudo(path string) (status string) {
	s.T.Helper()
	addr := strings.TrimPrefix(s.URL, "https://")
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		s.T.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprint(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", http.MethodPost}, {":scheme", "https"}, {":authority", addr}, {":path", path}, {":protocol", "websocket"},
	} {
		_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	for _, e := range []error{err, framer.WriteSettings(), framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true,
	}), framer.WriteData(1, true, []byte("{}"))} {
		if e != nil {
			s.T.Fatal(e)
		}
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			s.T.Fatal(err)
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			s.T.Fatalf("got %v", f)
		}
	}
}
