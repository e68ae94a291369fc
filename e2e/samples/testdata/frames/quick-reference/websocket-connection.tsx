// sample: WebSocket Connection

const session = await (await fetch('/api/custom/session', { method: 'POST' })).json();
say('secret', session.client_secret);

const page = mount(() => useWebSocketChat(session.client_secret));
const [socket] = sockets;
await until(() => socket.readyState === 1);
const answered = new Promise((resolve) => socket.addEventListener('message', resolve));
page.result.send('Hello, wörld');
say('message', JSON.parse((await answered).data));

const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
page.unmount();
await closed;
say('closed');
