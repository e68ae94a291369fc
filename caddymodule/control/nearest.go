package control

import "github.com/agnivade/levenshtein"

// nearest returns the word that is at most two edits away from what was written,
// "" if there is none.
func nearest(written string, words []string) (found string) {
	best := min(3, len(written))
	for _, w := range words {
		if d := levenshtein.ComputeDistance(written, w); d < best && d > 0 {
			best, found = d, w
		}
	}
	return found
}
