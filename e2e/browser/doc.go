// Package browser tests the product from a page in a real Chromium: a front end
// of the size of ChatKit's, in testdata/frontend, uses sessions, streams and
// WebSockets across origins, while backends die. It holds tests only.
package browser
