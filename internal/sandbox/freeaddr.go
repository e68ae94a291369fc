package sandbox

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The range of ports for [FreeAddr]. It is below Linux's ephemeral ports (32768
// to 60999), so that no other test's server or client gets the port between the
// check and its use.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// givenPorts are the ports already returned in this process: a test that asks for
// two addresses must get different ones, even if it does not listen yet.
var givenPorts sync.Map

// FreeAddr returns a free address on the loopback interface, for servers that
// need a fixed address. It returns an error if it finds none.
func FreeAddr() (string, error) {
	for try := range 200 {
		if try == 100 {
			givenPorts.Clear() // a long run may have used most ports
		}
		port := lowestPort + rand.IntN(highestPort-lowestPort) //nolint:gosec // not a secret
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue // its owner may not listen yet
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if ln, err := net.Listen("tcp", addr); err == nil {
			return addr, ln.Close()
		}
	}
	return "", errors.New("no free port found")
}
