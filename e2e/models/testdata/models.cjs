// A server of models that others have written, with faults. What it does stands in the
// question.
const { LLMock } = require('@copilotkit/aimock')

const mock = new LLMock({ port: 0, strict: true, chunkSize: 5 })
const text = 'Hello from the model, and good bye.'
mock.onMessage('good', { content: text })
mock.onMessage('thinks', { content: text, reasoning: 'SECRET thoughts' })
mock.onMessage('length', { content: text, finishReason: 'length' })
mock.onMessage('filter', { content: text, finishReason: 'content_filter' })
mock.onMessage('tool', { toolCalls: [{ name: 'refund', arguments: '{"all":true}' }] })
mock.onMessage('500', { error: { message: 'SECRET', type: 'server_error' }, status: 500 })
mock.onMessage('401', { error: { message: 'SECRET', code: 'invalid_api_key' }, status: 401 })
mock.onMessage('429', { error: { message: 'SECRET', code: 'rate_limit_exceeded' }, status: 429, retryAfter: 30 })
mock.onMessage('malformed', { content: text }, { chaos: { malformedRate: 1 } })
mock.onMessage('drop', { content: text }, { chaos: { dropRate: 1 } })
mock.onMessage('disconnect', { content: text }, { chaos: { disconnectRate: 1 } })
mock.onMessage('cut', { content: text }, { truncateAfterChunks: 7, streamingProfile: { ttft: 50, tps: 20 } })
mock.onMessage('late', { content: text }, { chaos: { latencyMs: 5000 } })
mock.onMessage('slow', { content: text }, { streamingProfile: { ttft: 700, tps: 20 } })
mock.onMessage('stall', { content: text }, { recordedTimings: { ttftMs: 10, interChunkDelaysMs: [10, 10, 10, 10, 10, 10, 5000, 5000], totalDurationMs: 15000 } })

mock.start().then((url) => console.log('listening on ' + url))
