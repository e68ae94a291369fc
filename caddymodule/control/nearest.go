package control

// nearest returns the word that is at most two edits away from what was written,
// "" if there is none.
func nearest(written string, words []string) (found string) {
	best := min(3, len(written))
	for _, w := range words {
		if d := distance(written, w); d < best && d > 0 {
			best, found = d, w
		}
	}
	return found
}

// distance is the number of letters to insert, remove or replace, or of neighbours
// to swap, to get from a to b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(replace, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
