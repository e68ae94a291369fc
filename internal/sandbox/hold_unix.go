//go:build unix

package sandbox

import (
	"net/netip"
	"syscall"
)

// hold reserves addr, an IPv4 address with a port, while nothing listens there. It binds a socket
// without listening, so connections are still refused. Without it another process
// could get this port, and answer in place of a server that should be down.
//
// The returned function ends the reservation. This is best effort: if binding
// fails, the function does nothing.
func hold(addr string) (release func()) {
	nothing := func() {}
	at := netip.MustParseAddrPort(addr) // a listener's address, so it is valid
	syscall.ForkLock.RLock()            // no child may inherit the socket before CloseOnExec
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nothing
	}
	release = func() { _ = syscall.Close(fd) }
	// Reuse is on to bind despite connections in TIME_WAIT, and then off so that
	// nobody else can bind the port.
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		release()
		return nothing
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	return release
}
