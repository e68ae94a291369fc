// A small ChatKit front end, written to the custom-server protocol: one URL,
// JSON in, JSON or an event stream out. The query of the page says where the
// chat is. What comes of everything stands in window.results, for the tests.
"use strict";

const settings = new URLSearchParams(location.search);
const product = settings.get("product");
const credentials = settings.get("credentials") ?? "include";

const results = { sessions: [], requests: [], replies: [], sockets: [] };
const frame = crypto.randomUUID(); // of this page, as the widget's frames have one
let secret; // of the session
let thread; // its id, once there is one
let last; // the request to try again
let running; // the AbortController of the reply that streams

const byId = (id) => document.getElementById(id);

// record keeps what is known of an exchange from its start on.
function record(list, more) {
  const entry = { status: 0, error: "", ended: false, ...more };
  list.push(entry);
  return entry;
}

// post sends a request and notes the head of its answer.
async function post(entry, path, body, options = {}) {
  const headers = { "Content-Type": "application/json", ...options.headers };
  if (path === "/chatkit") {
    headers["chatkit-frame-instance-id"] = frame;
  }
  if (secret) {
    headers.Authorization = "Bearer " + secret;
  }
  const response = await fetch(product + path, {
    method: "POST", body: JSON.stringify(body), credentials, ...options, headers,
  });
  entry.status = response.status;
  entry.contentType = response.headers.get("Content-Type");
  entry.provider = response.headers.get("X-ChatKit-Provider");
  entry.reason = response.headers.get("X-ChatKit-Fallback-Reason");
  entry.requestId = response.headers.get("X-Request-Id");
  entry.retryAfter = response.headers.get("Retry-After");
  return response;
}

// readJSON reads an answer whole.
async function readJSON(entry, response) {
  entry.body = await response.json();
  if (!response.ok) {
    showError(entry.body.error, false);
  }
}

// attempt runs an exchange; what it throws is part of the outcome.
async function attempt(entry, steps) {
  try {
    await steps();
  } catch (e) {
    entry.error = e.name;
    if (e.name !== "AbortError") {
      showError("The chat cannot be reached", true);
    }
  }
  entry.ended = true;
  return entry;
}

// session asks for a session.
function session(path = "/api/custom/session", headers = {}) {
  const entry = record(results.sessions);
  return attempt(entry, async () => {
    await readJSON(entry, await post(entry, path, {}, { headers }));
    secret = entry.body.client_secret;
    byId("session").value = secret ? "served by " + entry.provider : "none";
  });
}

// frames reads an event stream, frame by frame, as the bytes come in. It adds the
// text to the entry.
async function* frames(entry, stream) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    const text = decoder.decode(value, { stream: true });
    entry.raw += text;
    const parts = (rest + text).split("\n\n");
    rest = parts.pop();
    for (const frame of parts) {
      yield frame.slice("data: ".length);
    }
  }
  if (rest + decoder.decode() !== "") {
    throw new Error("the last frame is cut");
  }
}

// request makes a request that is answered by JSON.
function request(type, params = {}) {
  const entry = record(results.requests);
  return attempt(entry, async () => readJSON(entry, await post(entry, "/chatkit", { type, params })));
}

// streamed makes a request that is answered by a stream.
function streamed(path, body, handle) {
  const entry = record(results.replies, { events: [], raw: "", canceled: false });
  running = new AbortController();
  const { signal } = running;
  signal.onabort = () => {
    entry.canceledAt = Date.now();
    entry.canceled = true;
  };
  showError("", false);
  byId("cancel").hidden = false;
  return attempt(entry, async () => {
    const response = await post(entry, path, body, { signal, headers: { Accept: "text/event-stream" } });
    if (!response.ok) {
      await readJSON(entry, response);
      return;
    }
    for await (const frame of frames(entry, response.body)) {
      const event = JSON.parse(frame);
      handle(event);
      entry.events.push({ at: performance.now(), event });
    }
  }).finally(() => {
    byId("cancel").hidden = true;
  });
}

// chatkit makes a request of the protocol that is answered by a stream.
function chatkit(body) {
  last = body;
  return streamed("/chatkit", body, show);
}

// send says something, in a new thread if there is none.
function send(text) {
  const input = { content: [{ type: "input_text", text }], attachments: [], quoted_text: "", inference_options: {} };
  if (thread) {
    return chatkit({ type: "threads.add_user_message", params: { thread_id: thread, input }, metadata: {} });
  }
  return chatkit({ type: "threads.create", params: { input }, metadata: {} });
}

// stream uses the route for streams that are not ChatKit's.
function stream(message) {
  return streamed("/api/custom/stream", { message }, () => {});
}

// socket opens a WebSocket, says something and closes it once it has come back.
function socket(name, text) {
  const entry = record(results.sockets, { opened: false, messages: [] });
  return new Promise((resolve) => {
    const ws = new WebSocket(product.replace("http", "ws") + "/api/ws/chat/" + encodeURIComponent(name));
    ws.onopen = () => {
      entry.opened = true;
      ws.send(text);
    };
    ws.onmessage = (message) => {
      entry.messages.push(message.data);
      ws.close(1000, "enough");
    };
    ws.onclose = ({ code, wasClean }) => resolve(Object.assign(entry, { code, wasClean, ended: true }));
  });
}

// show renders an event.
function show(event) {
  switch (event.type) {
    case "thread.created":
      thread = event.thread.id;
      break;
    case "thread.item.added":
    case "thread.item.done":
      element(event.item).textContent = event.item.content.map((part) => part.text).join("");
      break;
    case "thread.item.updated":
      if (event.update.type === "assistant_message.content_part.text_delta") {
        byId(event.item_id).textContent += event.update.delta;
      }
      break;
    case "error":
      showError(event.message, event.allow_retry);
      break;
  }
}

// element is where an item is shown.
function element(item) {
  let li = byId(item.id);
  if (!li) {
    li = document.createElement("li");
    li.id = item.id;
    li.className = item.type;
    byId("thread").append(li);
  }
  return li;
}

function showError(text, retry) {
  byId("error").textContent = text;
  byId("retry").hidden = !retry;
}

byId("composer").onsubmit = (e) => {
  e.preventDefault();
  send(byId("text").value);
  byId("text").value = "";
};
byId("cancel").onclick = () => running.abort();
byId("retry").onclick = () => chatkit(last);

window.results = results;
window.chat = { session, request, send, stream, socket };
