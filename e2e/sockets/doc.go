// Package sockets has WebSocket clients and servers of Node and of Python talk
// through the product, each with each. It holds tests only.
package sockets
