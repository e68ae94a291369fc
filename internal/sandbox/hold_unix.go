//go:build unix

package sandbox

import (
	"net"
	"syscall"
)

// hold keeps the port of addr from being given to anyone else while nothing
// listens there: a socket that is bound but does not listen, so connections are
// still refused. Without it another process that asks for a free port could get
// this one, and answer in the place of a server that is meant to be down.
//
// The result ends the hold. It holds on a best-effort basis: where binding
// fails, the result does nothing.
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
	// Reuse is on to bind over connections in TIME_WAIT, and off again so that
	// nobody can bind over the hold.
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(fd, sa); err != nil {
		release()
		return nothing
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	return release
}

// sockaddr translates an address with a literal IP, which a listener's own
// address always is.
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
