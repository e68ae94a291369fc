// Package models has stand-ins ask a server of models that others have written, npm's
// @copilotkit/aimock, and what they send read by OpenAI's own client for Go. It holds
// tests only.
package models
