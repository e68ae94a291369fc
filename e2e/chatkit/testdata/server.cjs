// A ChatKit server on a library of others, with a model that waits for the test:
// POST /next lets it say a word, GET /items shows what is stored.
const http = require('node:http')
const { Store, ChatKitServer } = require('chatkit-node-backend-sdk')

const threads = new Map()
const items = new Map()
const page = (data) => ({ data, has_more: false, after: null })

class Memory extends Store {
  async loadThread(id) {
    if (!threads.has(id)) throw new Error('no such thread')
    return threads.get(id)
  }
  async saveThread(thread) { threads.set(thread.id, thread) }
  async deleteThread(id) { threads.delete(id) }
  async loadThreads() { return page([...threads.values()]) }
  async loadThreadItems(id) { return page(items.get(id) || []) }
  async addThreadItem(id, item) { items.set(id, [...(items.get(id) || []), item]) }
  async saveItem(id, item) {
    const all = items.get(id) || []
    const at = all.findIndex((i) => i.id === item.id)
    if (at < 0) all.push(item)
    else all[at] = item
    items.set(id, all)
  }
  async loadItem(id, item) { return (items.get(id) || []).find((i) => i.id === item) }
  async deleteThreadItem(id, item) { items.set(id, (items.get(id) || []).filter((i) => i.id !== item)) }
  async saveAttachment() {}
  async loadAttachment() { throw new Error('no attachments') }
  async deleteAttachment() {}
}

let allowed = 0
let wake = () => {}
let calls = 0
const word = async () => {
  while (allowed === 0) await new Promise((resolve) => { wake = resolve })
  allowed--
}

class Server extends ChatKitServer {
  async *respond(thread) {
    calls++
    const message = (text) => ({
      id: 'msg_answer_' + calls, thread_id: thread.id, created_at: new Date().toISOString(), type: 'assistant_message',
      content: text === undefined ? [] : [{ type: 'output_text', text, annotations: [] }],
    })
    const update = (update) => ({ type: 'thread.item.updated', item_id: 'msg_answer_' + calls, update })
    yield { type: 'thread.item.added', item: message() }
    let text = ''
    for (let i = 0; i < 5; i++) {
      await word()
      text += 'word ' + i + ' '
      yield update({ type: 'assistant_message.content_part.text_delta', content_index: 0, delta: 'word ' + i + ' ' })
    }
    yield { type: 'thread.item.done', item: message(text) }
  }
}

const server = new Server(new Memory())
http.createServer(async (req, res) => {
  let body = ''
  for await (const chunk of req) body += chunk
  const json = (value) => res.setHeader('Content-Type', 'application/json').end(JSON.stringify(value))
  if (req.url === '/next') {
    allowed += Number(body)
    wake()
    return json({})
  }
  if (req.url === '/items') return json({ calls, items: [...items.values()].flat() })
  try {
    const result = await server.process(body, {})
    if (!result.isStreaming) return json(result.toJSON())
    res.setHeader('Content-Type', 'text/event-stream')
    let open = true
    res.on('close', () => { open = false })
    for await (const chunk of result) {
      if (!open) break // as frameworks do with a request that is gone
      res.write(chunk)
    }
    res.end()
  } catch (err) {
    console.error(err)
    if (res.headersSent) res.destroy()
    else res.writeHead(500).end()
  }
}).listen(0, '127.0.0.1', function () { console.log('listening on ' + this.address().port) })
