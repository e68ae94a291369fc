// Package drill lets operators try the fallback in production: a request that shows
// their token leaves out the first provider.
//
// The handler imports it. It knows requests and targets, and nothing of routes.
package drill
