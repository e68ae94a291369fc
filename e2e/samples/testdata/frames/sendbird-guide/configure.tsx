// The function asks the product, which holds the API token.
async function issueSessionToken(): Promise<string> {
  const res = await fetch('/api/custom/session', { method: 'POST' });
  if (!res.ok) throw new Error((await res.json()).error);
  return (await res.json()).token;
}

// sample: Defining a Session Configuration Function

const handler = configureSession();
await new Promise<void>((done) =>
  handler.onSessionTokenRequired(
    (token) => done(say('token', token)),
    (error) => done(say('failed', error.message)),
  ),
);
handler.onSessionRefreshed();
handler.onSessionError(new Error('gone'));
handler.onSessionClosed();
say('end');
