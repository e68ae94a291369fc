package sandbox

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports [FreeAddr] takes from: below those that Linux gives to whoever asks
// for any (32768 to 60999), so that no other test's server or client gets the
// port between the look and its use.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// givenPorts are the ports this process has been given: two addresses of one
// test must not be the same, and nobody listens on the first when the second is
// asked for.
var givenPorts sync.Map

// FreeAddr returns an address of the loopback interface that nobody listens on,
// for servers that have to be told where to listen. It returns an error where
// it finds none.
func FreeAddr() (string, error) {
	for try := range 200 {
		if try == 100 {
			givenPorts.Clear() // a long run has had most of them
		}
		port := lowestPort + rand.IntN(highestPort-lowestPort) //nolint:gosec // any will do
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue // whoever has it may not listen yet
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if ln, err := net.Listen("tcp", addr); err == nil {
			return addr, ln.Close()
		}
	}
	return "", errors.New("no free port found")
}
