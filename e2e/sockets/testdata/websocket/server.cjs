'use strict';

// A WebSocket backend by the ws package. It sends back what it gets, but for
// texts that begin with "!": those are commands. The last segment of a path is
// the name of the case; what is seen of each goes to standard output, a line of
// JSON each. It ends when its standard input does.

const { WebSocketServer } = require('ws');

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  maxPayload: 32 << 20,
  perMessageDeflate: true, // for clients that offer it
  handleProtocols: (offered) => offered.has('chat.v1') && 'chat.v1',
});

const report = (line) => console.log(JSON.stringify(line));

const commands = {
  // ws sends 1000-1003, 1007-1014 and 3000-4999, and throws for all others.
  close: (ws, code, ...reason) => ws.close(Number(code), reason.join(' ')),

  ping(ws) {
    ws.once('pong', (payload) => {
      report({ case: ws.name, pong: payload.toString() });
      ws.send(`pong ${payload}`);
    });
    ws.ping('from the server, ü');
  },

  fragments(ws) {
    ws.send('eins, ', { fin: false });
    ws.send('zwölf, ', { fin: false });
    ws.send('🎈', { fin: true });
  },

  cut: (ws) => ws.terminate(),

  reset: (ws) => ws._socket.resetAndDestroy(),

  // Half of a frame: 4096 bytes are announced, three come.
  half: (ws) => ws._socket.write(Buffer.from([0x82, 0x7e, 0x10, 0, 1, 2, 3]), () => ws.terminate()),

  // As if killed by somebody else, but once the other connections have been
  // seen to end, or have had the time to.
  async die() {
    for (let i = 0; i < 200 && server.clients.size > 1; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill(process.pid, 'SIGKILL');
  },
};

server.on('connection', (ws, request) => {
  ws.name = request.url.split('/').pop();
  ws.on('message', (data, binary) => {
    const text = binary ? '' : data.toString();
    if (!text.startsWith('!')) return ws.send(data, { binary });
    const [command, ...args] = text.slice(1).split(' ');
    commands[command](ws, ...args);
  });
  ws.on('close', (code, reason) => report({ case: ws.name, code, reason: reason.toString() }));
  ws.on('error', (error) => console.error(ws.name, error));
});

server.on('listening', () => console.log(`listening ${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
