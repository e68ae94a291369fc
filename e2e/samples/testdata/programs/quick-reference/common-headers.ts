// Authentication
'Authorization': 'Bearer ' + token

// Content type
'Content-Type': 'application/json'

// Streaming
'Cache-Control': 'no-cache'
'Content-Type': 'text/event-stream'
'Connection': 'keep-alive'

// CORS
'Access-Control-Allow-Credentials': 'true'
'Access-Control-Allow-Origin': '*'
