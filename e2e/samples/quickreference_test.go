package samples_test

import "testing"

// The quick reference of custom ChatKit backends.
func TestQuickReference(t *testing.T) {
	document{name: "quick-reference", file: "003_*.txt", heads: []heading{
		{"ChatKit Custom Backend - Quick Reference", nil},
		{"Session Endpoint Template", sessionEndpoint},
		{"Frontend Integration", frontendIntegration},
		{"Streaming Response Handler", streamingResponse},
		{"Error Handling", errorHandling},
		{"Retry Logic", retryLogic},
		{"Custom Authentication", customAuthentication},
		{"Multi-Model Support", multiModel},
		{"WebSocket Connection", webSocket},
		{"Fallback Pattern", fallbackPattern},
		{"Backend FastAPI Session", fastAPI},
		{"Backend Express Session", express},
		{"Test Endpoint", testEndpoint},
		{"Environment Variables", environment},
		{"TypeScript Types", typeScriptTypes},
		{"Common Headers", commonHeaders},
		{"Response Format", responseFormat},
		{"Debugging Tips", debuggingTips},
	}}.run(t)
}
