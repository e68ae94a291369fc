package sandbox

// remembered is how many requests, secrets and sessions a server keeps.
const remembered = 1000

// ring keeps the last values added, at most `remembered`. Its zero value is
// empty. The owner guards it.
type ring[T any] struct {
	values []T
	next   int // where the next value goes once values is full
}

// add appends v, in place of the oldest value where the ring is full.
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
