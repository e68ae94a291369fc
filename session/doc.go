// Package session holds the words the whole product shares: what a front end
// asks for ([Request]), what it gets ([Session]), why an attempt failed or was
// skipped ([Reason]) and what follows from that ([Classify], the one
// classification table).
//
// It is the innermost package: it imports the standard library only, and every
// other package may import it.
package session
