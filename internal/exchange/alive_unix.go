//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package exchange

import (
	"errors"
	"net"
	"syscall"
)

// Supported reports whether this system can tell that a waiting connection was
// closed, without reading from it. Without that a request would be lost now and then.
const Supported = true

// alive reports whether a connection that waits can be used: it was not closed, and
// the server has sent nothing that nobody asked for.
func (c *conn) alive() bool {
	raw := c.Conn
	for {
		if over, ok := raw.(interface{ NetConn() net.Conn }); ok {
			raw = over.NetConn()
			continue
		}
		break
	}
	system, ok := raw.(syscall.Conn)
	if !ok {
		return false
	}
	fd, err := system.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = fd.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = errors.Is(err, syscall.EAGAIN)
	})
	return err == nil && quiet
}
