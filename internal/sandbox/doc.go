// Package sandbox simulates the services that create chat sessions: a custom
// backend ([NewBackend]), the OpenAI ChatKit sessions API ([NewOpenAI]) and
// Sendbird's Platform API ([NewSendbird]). Each simulator is a real HTTP server
// on 127.0.0.1. At run time it can be switched between correct answers and many
// faults ([Fault], [Server.Set]), from a refused connection to deeply nested
// JSON.
//
// A simulator is as strict as the real service, so that the real service would
// accept every request that the simulator accepts. Its 2xx answers have the
// format of the real service. The rules come from the published schema of
// OpenAI's sessions endpoints, from FastAPI, in which the documented sample
// backend is written, and from the reference of the Platform API.
//
// It imports only the standard library. The demo command and tests (in any
// package) may import it; code that serves production traffic must not.
//
// Files: fault.go and play.go define the faults and play them; server.go,
// listen.go, conns.go and hold_*.go manage the sockets; record.go records
// requests; backend*.go, openai*.go and sendbird*.go are the dialects;
// control.go switches faults over HTTP.
package sandbox
