//go:build !unix

package sandbox

// hold does nothing on systems where this package cannot reserve a port: other
// processes can take the port of a refusing server until it heals.
func hold(string) (release func()) { return func() {} }
