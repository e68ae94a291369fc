package sandbox

// remembered is how many requests, secrets and sessions a server keeps.
const remembered = 1000

// ring keeps the last values added, at most `remembered`. The zero value is an
// empty ring. It is not safe for concurrent use.
type ring[T any] struct {
	values []T
	next   int // index of the next value once values is full
}

// add appends v. If the ring is full, v replaces the oldest value.
func (r *ring[T]) add(v T) {
	if len(r.values) < remembered {
		r.values = append(r.values, v)
		return
	}
	r.values[r.next] = v
	r.next = (r.next + 1) % remembered
}

// each calls f with every value, oldest first.
func (r *ring[T]) each(f func(*T)) {
	for i := range r.values {
		f(&r.values[(r.next+i)%len(r.values)])
	}
}
