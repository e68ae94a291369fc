package sandbox

// remembered is how many requests, secrets and sessions a server keeps.
const remembered = 1000

// remember appends v and forgets the oldest value if there are too many.
func remember[T any](values []T, v T) []T {
	values = append(values, v)
	return values[max(0, len(values)-remembered):]
}
