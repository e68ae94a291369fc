// Calls the ChatKit sessions API with OpenAI's own SDK, as an app's server does.
// Arguments: base URL, key, steps as a JSON array of [method, argument]. Prints
// one JSON line for each step: what came back, or which of the SDK's error
// classes it became.
const OpenAI = require('openai')

const [baseURL, apiKey, steps] = process.argv.slice(2)
const client = new OpenAI.OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 })
const { sessions } = client.beta.chatkit

async function run([method, argument]) {
  try {
    const session = await sessions[method](argument)
    return { session, requestID: session._request_id }
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error
    const { status, type, param, code, message, requestID } = error
    return { error: error.constructor.name, status, type, param, code, message, requestID }
  }
}

async function main() {
  for (const step of JSON.parse(steps)) console.log(JSON.stringify(await run(step)))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
