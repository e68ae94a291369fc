'use strict';

// A WebSocket client by the ws package: node client.cjs ws://host/path/. It
// goes through all the cases, with a connection of its own to that path for
// each, and prints a line of JSON per case. client.py does the same.

const { createHash } = require('crypto');
const WebSocket = require('ws');

const base = process.argv[2];

// open opens a WebSocket that has two things more: next() is the next message,
// and closed is how it came to its end.
async function open(name, { protocols = [], deflate = false } = {}) {
  const ws = new WebSocket(base + name, protocols, { maxPayload: 32 << 20, perMessageDeflate: deflate });
  const messages = [];
  let arrived = () => {};
  ws.on('message', (data, binary) => arrived(messages.push({ data, binary })));
  ws.closed = new Promise((resolve) => {
    ws.on('close', (code, reason) => arrived(resolve({ code, reason: reason.toString() })));
  });
  ws.next = async () => {
    while (messages.length === 0) {
      if (ws.readyState === WebSocket.CLOSED) throw new Error(`closed: ${JSON.stringify(await ws.closed)}`);
      await new Promise((resolve) => { arrived = resolve; });
    }
    return messages.shift();
  };
  await new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject));
  return ws;
}

// leave closes as it should be.
async function leave(ws) {
  ws.close(1000, 'done');
  const { code, reason } = await ws.closed;
  if (code !== 1000 || reason !== 'done') throw new Error(`closed with ${code} ${reason}`);
}

function summary(data) {
  return { length: data.length, sha256: createHash('sha256').update(data).digest('hex') };
}

// same tells whether a message is the one that was sent, by length and hash.
function same({ data, binary }, want) {
  const got = { binary, ...summary(data) };
  const wanted = { binary: Buffer.isBuffer(want), ...summary(Buffer.from(want)) };
  return { ok: JSON.stringify(got) === JSON.stringify(wanted), got };
}

// echo sends a message, in one piece or in fragments, and awaits it.
const echo = (parts, options) => async (name) => {
  const ws = await open(name, options);
  parts.forEach((part, i) => ws.send(part, { fin: i === parts.length - 1 }));
  const got = await ws.next();
  const whole = Buffer.isBuffer(parts[0]) ? Buffer.concat(parts) : parts.join('');
  const extensions = ws.extensions;
  await leave(ws);
  const { ok, got: seen } = same(got, whole);
  return { ok: ok && extensions === (options?.deflate ? 'permessage-deflate' : ''), got: { ...seen, extensions } };
};

// answered sends a command and awaits a text.
const answered = (command, want) => async (name) => {
  const ws = await open(name);
  ws.send(command);
  const { data, binary } = await ws.next();
  await leave(ws);
  return { ok: !binary && data.toString() === want, got: data.toString() };
};

async function ping(name) {
  const ws = await open(name);
  const payload = 'from the client, ü';
  const pong = new Promise((resolve) => ws.once('pong', resolve));
  ws.ping(payload);
  const got = (await pong).toString();
  await leave(ws);
  return { ok: got === payload, got };
}

async function subprotocol(name) {
  const ws = await open(name, { protocols: ['chat.v2', 'chat.v1'] });
  const got = ws.protocol;
  await leave(ws);
  return { ok: got === 'chat.v1', got };
}

async function many(name) {
  const ws = await open(name);
  for (let i = 0; i < 200; i++) ws.send(`message ${i}`);
  const got = [];
  for (let i = 0; i < 200; i++) got.push((await ws.next()).data.toString());
  await leave(ws);
  const wrong = got.findIndex((text, i) => text !== `message ${i}`);
  return { ok: wrong === -1, got: wrong === -1 ? got.length : got };
}

// ended awaits the end without a closing handshake, which has to come soon and
// without another message: 1006, or 1011 by somebody who says so for the other.
const ended = (command) => async (name) => {
  const ws = await open(name);
  ws.send('first');
  await ws.next();
  let more = 0;
  ws.on('message', () => more++);
  const start = Date.now();
  ws.send(command);
  const { code, reason } = await ws.closed;
  const took = Date.now() - start;
  return { ok: [1006, 1011].includes(code) && more === 0 && took < 5000, got: { code, reason, more, took } };
};

// The server has to see that the client is gone; it reports that.
async function clientCut(name) {
  const ws = await open(name);
  ws.terminate();
  const got = await ws.closed;
  return { ok: got.code === 1006, got };
}

// closing closes with a code, by the client or by a command to the server, and
// awaits the same code and reason.
const closing = (code, byServer) => async (name) => {
  const ws = await open(name);
  const reason = `reason ${code}, für dich`;
  if (byServer) ws.send(`!close ${code} ${reason}`);
  else ws.close(code, reason);
  const got = await ws.closed;
  return { ok: got.code === code && got.reason === reason, got };
};

const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const large = Buffer.alloc(16 << 20, createHash('sha512').update('16 MiB').digest());

const cases = {
  text: echo(['Grüße, ÄÖÜ ß, 漢字, 👩‍🚀🎈']),
  binary: echo([bytes]),
  empty: echo(['']),
  'empty-binary': echo([Buffer.alloc(0)]),
  large: echo([large]),
  fragments: echo(['eins, ', 'zwölf, ', '', '🎈']),
  'fragments-binary': echo([bytes, large.subarray(0, 100_000), bytes]),
  'fragments-server': answered('!fragments', 'eins, zwölf, 🎈'),
  compressed: echo(['compress me, '.repeat(100_000)], { deflate: true }),
  many,
  ping,
  'ping-server': answered('!ping', 'pong from the server, ü'),
  subprotocol,
  'cut-client': clientCut,
  cut: ended('!cut'),
  'cut-reset': ended('!reset'),
  'cut-half': ended('!half'),
};

// ws sends 1000-1003, 1007-1014 and 3000-4999, and throws for all others.
for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000]) {
  cases[`close-${code}`] = closing(code, false);
  cases[`close-server-${code}`] = closing(code, true);
}

// The last, as there is no server after it.
cases['cut-killed'] = ended('!die');

// within gives a case up that does not come to its end.
function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('waited in vain')), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function main() {
  for (const [name, run] of Object.entries(cases)) {
    const result = await within(20_000, run(name)).catch((error) => ({ ok: false, got: String(error) }));
    console.log(JSON.stringify({ case: name, ...result }));
  }
  process.exit();
}

process.stdin.resume().on('end', () => process.exit(1)); // who started it is gone
main();
