// Package endpoint is the part of a stand-in's configuration that reaches a model:
// address, key, what the model is told, and how much of a conversation it gets,
// embedded as [Endpoint].
//
// Our stand-ins that are models embed it, and nobody else imports it.
package endpoint
