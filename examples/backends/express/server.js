// A chat backend as caddy-chatkit expects it, with Express. It keeps its sessions
// in memory and says back what it is told: put your model where reply is called.
const { randomBytes, timingSafeEqual, createHash } = require('node:crypto')
const express = require('express')
const { WebSocketServer } = require('ws')

const key = process.env.CUSTOM_BACKEND_KEY ?? '' // that Caddy sends
const lifetime = 60 * 60 * 1000 // of a session, in milliseconds
const sessions = new Map()

const app = express()
app.use(express.json())

// The token of a request.
const bearer = (req) => (req.get('Authorization') ?? '').replace(/^Bearer /, '')

const same = (a, b) => {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(left, right)
}

// The user of a session. Forgets a session that has expired.
const find = (id) => {
  const session = sessions.get(id)
  if (session && session.expires > Date.now()) return session.user
  sessions.delete(id)
  return undefined
}

// Where a model would be asked.
const reply = (user, text) => `${user} said: ${text}`

// Answers a session request of Caddy.
app.post('/api/sessions', (req, res) => {
  if (key && !same(bearer(req), key)) return res.status(401).json({ error: 'wrong key' })
  const { user_id: user, model, metadata } = req.body ?? {}
  if (typeof user !== 'string' || user === '') return res.status(422).json({ error: 'user_id is missing' })
  const id = randomBytes(32).toString('base64url')
  const expires = Date.now() + lifetime
  sessions.set(id, { user, expires })
  return res.json({ session_id: id, expires_at: new Date(expires).toISOString(), model, metadata })
})

// The user of a message or stream. Without a session it is a 401.
const withSession = (req, res, next) => {
  req.user = find(bearer(req))
  if (req.user === undefined) return res.status(401).json({ error: 'unknown session' })
  if (typeof req.body?.message !== 'string') return res.status(422).json({ error: 'message is missing' })
  return next()
}

// Answers in one piece.
app.post('/api/chat', withSession, (req, res) => {
  res.json({ reply: reply(req.user, req.body.message) })
})

// Answers word by word, as server-sent events.
app.post('/api/chat/stream', withSession, (req, res) => {
  res.set('Content-Type', 'text/event-stream')
  for (const delta of reply(req.user, req.body.message).split(/(?<= )/)) {
    res.write(`data: ${JSON.stringify({ delta })}\n\n`)
  }
  res.end('data: [DONE]\n\n')
})

const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`running on http://127.0.0.1:${server.address().port}`)
})

// Answers each message on a WebSocket with one.
const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', (req, socket, head) => {
  const [, id] = new URL(req.url, 'http://localhost').pathname.match(/^\/ws\/chat\/([^/]+)$/) ?? []
  const user = id && find(decodeURIComponent(id))
  if (!user) {
    socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
    return
  }
  sockets.handleUpgrade(req, socket, head, (ws) => {
    ws.on('message', (data) => {
      ws.send(JSON.stringify({ reply: reply(user, JSON.parse(data).message) }))
    })
  })
})
