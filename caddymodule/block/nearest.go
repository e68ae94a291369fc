package block

import (
	"fmt"
	"slices"

	"github.com/agnivade/levenshtein"
)

// DidYouMean returns " (did you mean …?)" where one of the known words is close to
// a word, for the end of an error message, else "".
func DidYouMean(word string, known []string) string {
	best, least := "", 1+max(1, len(word)/3)
	slices.Sort(known)
	for _, k := range known {
		if d := levenshtein.ComputeDistance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}
