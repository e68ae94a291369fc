//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package exchange

// Supported reports whether this system can tell that a waiting connection was
// closed, without reading from it. Without that a request would be lost now and then.
const Supported = false

// alive reports whether a connection that waits can be used.
func (*conn) alive() bool { return false }
