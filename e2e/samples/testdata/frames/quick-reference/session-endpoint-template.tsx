// The server of an app, which knows its users by a header.
import { createServer } from 'node:http';

async function getSessionUser(req: Request) {
  const id = req.headers.get('x-user');
  return id ? { id } : null;
}

// sample: Session Endpoint Template

const server = createServer(async (req, res) => {
  const answer = await POST(new Request(`http://app.test${req.url}`, { method: 'POST', headers: req.headers as any }));
  res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
server.listen(0, '127.0.0.1', () => say('port', server.address().port));
await new Promise(() => {}); // it ends with its standard input
