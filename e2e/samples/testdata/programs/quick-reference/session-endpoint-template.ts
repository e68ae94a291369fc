// The app's own session route, as one writes it without this module.
export async function POST(req: Request) {
  const caller = await getSessionUser(req);
  if (caller === null) {
    return Response.json({ error: 'Unauthorized' }, { status: 401 });
  }
  const { CUSTOM_BACKEND_URL: base, CUSTOM_BACKEND_KEY: key } = process.env;
  const answer = await fetch(new URL('/api/sessions', base), {
    body: JSON.stringify({ user_id: caller.id }),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
    method: 'POST',
  });
  const { session_id } = await answer.json();
  return Response.json({ client_secret: session_id });
}
