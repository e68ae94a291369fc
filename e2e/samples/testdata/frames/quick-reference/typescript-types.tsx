// sample: TypeScript Types

// A message of the chat goes to the backend and comes back as it was.
const sent: ChatMessage = { id: '1', role: 'user', text: 'Hello, wörld', timestamp: new Date() };
const res = await fetch('/api/custom/message', { method: 'POST', body: JSON.stringify(sent) });
const revive = (key: string, value: any) => (key === 'timestamp' ? new Date(value) : value);
const got: ChatMessage = JSON.parse(await res.text(), revive);
say('same', got.timestamp instanceof Date && JSON.stringify(got) === JSON.stringify(sent));
