// Package provider is what a provider that speaks JSON over HTTP needs beside
// package session: [Client] sends a request and reads the answer, limited in
// size, and [Decode] decodes it with errors that are safe to log.
//
// It is public: providers of third parties may use it, and ours do. It does not
// depend on Caddy; a provider passes in Caddy's transport.
package provider
