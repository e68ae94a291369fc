package testsite

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// FreeAddr takes ports from below those that Linux gives to whoever asks for
// any (32768 to 60999), so that no other test's server or client gets the port
// between the look and its use.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// givenPorts are the ports this process has been given: two addresses of one
// test must not be the same, and nobody listens on the first when the second is
// asked for.
var givenPorts sync.Map

// FreeAddr returns a loopback address that nobody listens on.
func FreeAddr(t *testing.T) string {
	t.Helper()
	for try := range 200 {
		if try == 100 {
			givenPorts.Clear() // a long run has had most of them
		}
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue // whoever has it may not listen yet
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if ln, err := net.Listen("tcp", addr); err == nil {
			_ = ln.Close()
			return addr
		}
	}
	t.Fatal("no free port found")
	return ""
}

// FreePort returns the port of such an address.
func FreePort(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Nobody returns a URL that nobody serves.
func Nobody(t *testing.T) string {
	t.Helper()
	return "http://" + FreeAddr(t)
}
