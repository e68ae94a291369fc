//go:build unix

package sandbox

import (
	"net"
	"syscall"
)

// hold reserves the port of addr while nothing listens there. It binds a socket
// without listening, so connections are still refused. Without it another process
// could get this port, and answer in place of a server that should be down.
//
// The returned function ends the reservation. This is best effort: if binding
// fails, the function does nothing.
func hold(addr string) (release func()) {
	nothing := func() {}
	domain, sa, ok := sockaddr(addr)
	if !ok {
		return nothing
	}
	syscall.ForkLock.RLock() // no child may inherit the socket before CloseOnExec
	fd, err := syscall.Socket(domain, syscall.SOCK_STREAM, 0)
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
	if err := syscall.Bind(fd, sa); err != nil {
		release()
		return nothing
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	return release
}

// sockaddr converts an address with a literal IP. A listener's address always
// has one.
func sockaddr(addr string) (domain int, sa syscall.Sockaddr, ok bool) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil || a.Zone != "" {
		return 0, nil, false
	}
	if ip := a.IP.To4(); ip != nil {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip)}, true
	}
	if ip := a.IP.To16(); ip != nil {
		return syscall.AF_INET6, &syscall.SockaddrInet6{Port: a.Port, Addr: [16]byte(ip)}, true
	}
	return 0, nil, false
}
