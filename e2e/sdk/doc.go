// Package sdk uses the product's openai_api route with OpenAI's own libraries,
// for Go and for Node. It holds tests only.
package sdk
