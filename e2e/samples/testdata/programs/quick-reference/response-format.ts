// Success
{
  "client_secret": "secret-of-a-session",
  "model": "custom-v2",
  "expires_at": "2020-02-29T00:00:00Z"
}

// Error
{
  "code": "SESSION_ERROR",
  "error": "Session creation failed",
  "details": "Backend unreachable"
}
