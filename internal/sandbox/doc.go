// Package sandbox holds stand-ins for the services a chat session comes from:
// a custom backend ([NewBackend]), the OpenAI ChatKit sessions API ([NewOpenAI])
// and Sendbird's Platform API ([NewSendbird]). Each is a real HTTP server on
// 127.0.0.1 whose behaviour is switched at run time between a correct answer and
// one of many faults ([Fault], [Server.Set]), from a refused connection to a
// nested JSON bomb.
//
// A stand-in is strict where the real service is strict, so that a request it
// accepts is one the real service would accept, and in every 2xx it answers in
// the shape of the service it stands for. The rules come from the published
// schema of OpenAI's sessions endpoints, from FastAPI, which the documented
// sample backend is written with, and from the reference of the Platform API.
//
// It belongs to the pure ring: only the standard library, no Caddy, no zap, no
// Prometheus. The demo command and tests (in any package) may import it; code
// that serves production traffic must not.
//
// Files: fault.go and play.go say what faults exist and how each is played;
// server.go, listen.go, conns.go and hold_*.go own the sockets; record.go
// remembers what was asked; backend*.go, openai*.go and sendbird*.go are the
// dialects; control.go switches faults over HTTP.
package sandbox
