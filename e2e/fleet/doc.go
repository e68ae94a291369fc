// Package fleet runs ten instances on a real Redis: what they learn from each other,
// and what becomes of them when Redis fails in every way. It holds tests only.
package fleet
