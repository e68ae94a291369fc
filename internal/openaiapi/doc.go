// Package openaiapi is OpenAI's ChatKit sessions API as we serve it to apps with
// an OpenAI SDK: its request ([ParseSpec]), its session resource ([Describe]) and
// its errors ([ErrorBody]), POST /v1/chatkit/sessions of the API reference (beta
// chatkit_beta=v1).
//
// It is of the pure ring. The openai_api route uses it, whichever provider serves.
package openaiapi
