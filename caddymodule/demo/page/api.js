// api.js makes the requests. All of them go to this origin.

// exchange makes a request and measures it. It never throws: without an answer
// the status is 0.
async function exchange(path, options) {
  const begin = performance.now();
  try {
    const response = await fetch(path, { method: "POST", ...options });
    return { response, status: response.status, ...heads(response.headers), took: performance.now() - begin };
  } catch {
    return { status: 0, body: {}, took: performance.now() - begin };
  }
}

const heads = (headers) => ({
  provider: headers.get("X-ChatKit-Provider") ?? "",
  reason: headers.get("X-ChatKit-Fallback-Reason") ?? "",
  retryAfter: headers.get("Retry-After") ?? "",
});

const json = (response) => response.json().catch(() => ({}));

// createSession requests a session, as a chat widget does.
export async function createSession() {
  const answer = await exchange("/api/custom/session");
  return answer.response ? { ...answer, body: await json(answer.response) } : answer;
}

// streamReply sends a message and passes on the reply, delta by delta. "whole"
// says whether the reply is complete.
export async function streamReply(secret, message, onDelta) {
  const begin = performance.now();
  const answer = await exchange("/api/custom/stream", {
    headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ message }),
  });
  if (answer.status !== 200) {
    return answer.response ? { ...answer, body: await json(answer.response) } : answer;
  }
  let whole = false;
  try {
    for await (const event of events(answer.response.body)) {
      if (event.type === "done") whole = true;
      else onDelta(event.delta ?? "");
    }
  } catch {
    whole = false; // cut off, or not an event stream
  }
  return { ...answer, body: {}, whole, firstByte: answer.took, took: performance.now() - begin };
}

// turnRequest is a message in a thread, or in a new one, as ChatKit's custom-server
// protocol has it.
export function turnRequest(text, thread) {
  const input = { content: [{ type: "input_text", text }], attachments: [], inference_options: {} };
  return JSON.stringify(thread
    ? { type: "threads.add_user_message", params: { thread_id: thread, input } }
    : { type: "threads.create", params: { input } });
}

// streamTurn sends a request of the protocol and passes on its events. "broken" says
// whether the answer broke off, as it does when the signal aborts it.
export async function streamTurn(path, body, frame, signal, onEvent) {
  const headers = { "Content-Type": "application/json", "chatkit-frame-instance-id": frame };
  const answer = await exchange(path, { headers, body, signal });
  if (answer.status !== 200) {
    return answer.response ? { ...answer, body: await json(answer.response) } : answer;
  }
  try {
    for await (const event of events(answer.response.body)) onEvent(event);
  } catch {
    return { ...answer, body: {}, broken: true };
  }
  return { ...answer, body: {} };
}

// events reads an event stream as the bytes come in.
async function* events(stream) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      yield JSON.parse(frame.replace(/^data: /, ""));
    }
  }
}

// setFault sets the fault of a provider. It returns false if that failed.
export const setFault = async (provider, fault) => (await exchange(`/demo/${provider}/${fault}`)).status === 200;

// force forces a breaker, or releases it. It returns false if that failed.
export const force = async (provider, action) => (await exchange(`/demo/force/${provider}/${action}`)).status === 200;

// caddyfile returns the configuration in use.
export const caddyfile = async () => (await fetch("/demo/Caddyfile")).text();

// status returns the state of the providers and their breakers, or null if the
// demo has ended.
export async function status() {
  try {
    const response = await fetch("/demo/status");
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
