package session

import (
	"fmt"
	"strconv"
)

// StatusSet is a set of HTTP error statuses, 400 to 599.
type StatusSet struct{ in [200]bool }

// ParseStatusSet reads a list of statuses ("503") and classes ("4xx", "5xx").
// It returns an error that names the first word that is neither.
func ParseStatusSet(words []string) (*StatusSet, error) {
	set := new(StatusSet)
	for _, w := range words {
		switch w {
		case "4xx":
			set.add(400, 499)
		case "5xx":
			set.add(500, 599)
		default:
			n, err := strconv.Atoi(w)
			if err != nil || n < 400 || n > 599 {
				return nil, fmt.Errorf("invalid status %q (want 400 to 599, 4xx or 5xx)", w)
			}
			set.add(n, n)
		}
	}
	return set, nil
}

// Has reports whether status is in the set.
func (s *StatusSet) Has(status int) bool {
	return status >= 400 && status <= 599 && s.in[status-400]
}

func (s *StatusSet) add(from, to int) {
	for i := from; i <= to; i++ {
		s.in[i-400] = true
	}
}
