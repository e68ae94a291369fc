// Package modelapi speaks with models: the requests of OpenAI's Chat Completions and
// of its Responses, and the readers of the streams that answer them, as OpenAI and the
// many servers that imitate it send them.
//
// A reader believes only what says that an answer is complete, a finish_reason or
// response.completed. It bounds what it reads, and what it returns as an error shows
// nothing that came from the model or from who talks to it. The package knows the
// vocabulary of stand-ins, and not Caddy.
package modelapi
