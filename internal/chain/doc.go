// Package chain asks the providers of a route in order of preference: [Chain] for
// session requests, over [Target.Try], the one function that makes an attempt.
//
// It is of the pure ring. Package relay makes its attempts by the same function;
// caddymodule builds chains and targets.
package chain
