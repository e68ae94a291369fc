const APP_ID = 'sample-app';

async function issueSessionToken(user: string, life = 600_000): Promise<string> {
  const answer = await fetch(`https://api-${APP_ID}.sendbird.com/v3/users/${encodeURIComponent(user)}/token`, {
    method: 'POST',
    headers: { 'Api-Token': 'YOUR_API_TOKEN', 'Content-Type': 'application/json; charset=utf8' },
    body: JSON.stringify({ expires_at: Date.now() + life }),
  });
  if (!answer.ok) throw new Error('Failed to issue a session token');
  return (await answer.json()).token;
}
