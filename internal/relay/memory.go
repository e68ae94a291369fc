package relay

import "sync/atomic"

// buffered is the memory that kept bodies take, of all requests of the process:
// each handler has a limit, but the memory is everybody's.
var buffered atomic.Int64

// Buffered returns how much memory kept bodies take, in bytes.
func Buffered() int64 { return buffered.Load() }

// reserve takes n bytes, unless that would make more than limit in all.
func reserve(n, limit int64) bool {
	for {
		used := buffered.Load()
		if used+n > limit {
			return false
		}
		if buffered.CompareAndSwap(used, used+n) {
			return true
		}
	}
}
