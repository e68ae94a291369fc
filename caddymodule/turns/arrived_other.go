//go:build !linux

package turns

// arrived reports that everything has arrived: only Linux tells.
func (conn) arrived() bool { return true }
