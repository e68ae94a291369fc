// Package outage has the stand-ins of a chatkit route at work: who may ask them, for
// what, what operators hear of it, what outlives a reload, and the way back.
//
// The package turns imports it, and hands it calls that no backend answers, or that
// are not for one. Which stand-ins there are, and what stands around each, package
// standby knows; what they say becomes frames and JSON in internal/outage.
package outage
