async function createSessionWithRetry(times = 3): Promise<string> {
  while (times-- > 0) {
    const answer = await fetch('/api/custom/session', { method: 'POST' });
    if (answer.ok) {
      return (await answer.json()).client_secret;
    }
  }
  throw new Error('Session creation failed');
}
