package turns

import "golang.org/x/sys/unix"

// arrived reports whether the other side of a connection has acknowledged everything
// that was written to it. Of a connection that is closed nobody knows: it counts as
// if it had.
func (c conn) arrived() bool {
	left := 0
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	}
	return err != nil || left == 0
}
