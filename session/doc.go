// Package session holds the words that the whole product shares: what a front end
// asks for ([Request]), what it gets ([Session]), why an attempt failed or was
// skipped ([Reason]), what follows from that ([Classify], the one classification
// table), and what a provider is ([Provider] and its optional abilities).
//
// It is the innermost package and a public one: providers of third parties are
// written against it. It imports the standard library only, and every other
// package may import it.
package session
