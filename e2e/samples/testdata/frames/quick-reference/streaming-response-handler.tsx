// sample: Streaming Response Handler

const session = await (await fetch('/api/custom/session', { method: 'POST' })).json();
say('secret', session.client_secret);
for await (const piece of streamResponse(session.client_secret, 'Hello, wörld')) say('piece', piece);
say('end');
