// Package tally keeps the recent past of one provider for operators: since when
// it fails, how many of the answered requests it served, how long its attempts
// took, and the states of its breaker in the last hour.
//
// Everything is bounded: a ring of one-second buckets over five minutes, and a
// list of states. Counting takes a lock and no memory.
package tally
