async function getClientSecret(): Promise<string | undefined> {
  for (const path of ['/api/custom/session', '/api/chatkit/session']) {
    const answer = await fetch(path, { method: 'POST' });
    if (answer.ok) return (await answer.json()).client_secret;
  }
}
