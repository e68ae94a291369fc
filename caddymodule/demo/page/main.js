// main.js connects the buttons, the requests and the display.
import { createSession, setFault, status, streamReply } from "./api.js";
import { Lane } from "./picture.js";
import { because, describe, elsewhere, elsewhereShort, faults, milliseconds } from "./words.js";

const pollEvery = 250; // milliseconds
const askEvery = 1000;
const logged = 50; // maximum number of lines in the log

const $ = (id) => document.getElementById(id);
const lanes = { backend: new Lane("backend"), openai: new Lane("openai") };
let session = null; // { provider, secret }
let asking = false; // one request at a time
let streaming = false; // one reply at a time

// show puts texts into elements, by their ids.
function show(texts) {
  for (const [id, text] of Object.entries(texts)) $(id).textContent = text;
}

// log adds a line to the log, newest first.
function log(kind, answer, state, text) {
  const line = document.createElement("li");
  line.dataset.state = state;
  const piece = (name, content) => {
    const span = document.createElement("span");
    span.className = name;
    span.textContent = content;
    line.append(span);
  };
  piece("when", new Date().toLocaleTimeString("en-GB"));
  piece("kind", kind);
  piece("status", answer.status || "none");
  piece("text", text);
  piece("took", milliseconds(answer.took));
  $("log").prepend(line);
  while ($("log").children.length > logged) $("log").lastChild.remove();
}

// start requests a session and shows the result.
async function start() {
  const answer = await createSession();
  const said = describe(answer);
  const took = milliseconds(answer.took);
  session = answer.status === 200 ? { provider: answer.provider, secret: answer.body.client_secret } : null;
  if (session) lanes[session.provider]?.served(Date.now());
  $("verdict").dataset.state = said.state;
  show({
    "verdict-title": said.title, "verdict-text": said.text,
    "served-by": session ? session.provider : "nobody", took, why: said.why,
  });
  log("session", answer, said.state, answer.reason ? `${said.title}: ${said.why}` : session ? said.title : `${said.title}: ${said.text}`);
}

// reply shows a state of the reply, and its text.
function reply(state, text) {
  $("reply").dataset.state = state;
  $("reply").textContent = text;
}

// send sends the message. Without a session it starts one first.
async function send() {
  if (streaming) return;
  turnStreaming(true);
  if (!session) await start();
  if (session) await stream();
  else reply("failed", "There is no session to send it with.");
  turnStreaming(false);
}

// turnStreaming marks the button. It does not disable it, to keep the focus.
function turnStreaming(on) {
  streaming = on;
  $("send").setAttribute("aria-disabled", String(on));
}

// stream shows the reply as it comes in.
async function stream() {
  reply("streaming", "");
  const answer = await streamReply(session.secret, $("text").value, (delta) => $("reply").append(delta));
  if (answer.whole) {
    reply("done", $("reply").textContent);
    return log("stream", answer, "ok", `Streamed by ${answer.provider}, first byte after ${milliseconds(answer.firstByte)}`);
  }
  const [state, text, short] = notStreamed(answer);
  reply(state, answer.status === 200 ? `${$("reply").textContent} … ${text}` : text);
  log("stream", answer, state, short ?? text);
}

// notStreamed says why the reply is not complete.
function notStreamed({ status: code, provider, reason, retryAfter, body }) {
  if (body.code === "SESSION_ELSEWHERE") return ["elsewhere", elsewhere(provider), elsewhereShort(provider)];
  if (code === 200) {
    return ["failed", "The reply was cut off. After its first byte nothing moves to another provider.", "Cut off after its first byte"];
  }
  const why = body.details ?? (reason && because("backend", reason)) ?? "No answer";
  return ["failed", `${body.error ?? "No reply"}: ${why}.${retryAfter ? ` Retry-After: ${retryAfter} s.` : ""}`];
}

// faultButtons fills a group with the switches of a provider.
function faultButtons(group) {
  for (const [fault, text] of faults) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.dataset.fault = fault;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", async () => {
      if (await setFault(group.dataset.faults, fault)) press(group, fault);
    });
    group.append(button);
  }
}

// press shows the active fault, by its button or by its name: curl and --chaos
// can set faults that have no button.
function press(group, fault) {
  const button = faults.some(([name]) => name === fault);
  group.querySelector(".other").textContent = button ? "" : `(now: ${fault})`;
  for (const button of group.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.fault === fault));
  }
}

// turn shows whether the demo is running.
function turn(found) {
  document.body.classList.toggle("gone", !found);
  $("verdict").dataset.state = found ? "idle" : "dead";
  show(found
    ? { "verdict-title": "The demo is back", "verdict-text": "Start a session to see who serves it." }
    : { "verdict-title": "The demo does not answer", "verdict-text": "It has ended, or is starting again." });
}

// poll reads and draws the state of the providers, forever. If the user prefers no
// motion, the picture moves only every few seconds, or when a state changes.
async function poll() {
  const found = await status();
  const now = Date.now();
  const gone = document.body.classList.contains("gone");
  if (gone !== !found) turn(found);
  for (const provider of found?.providers ?? []) {
    const lane = lanes[provider.name];
    const was = lane.element.dataset.state;
    lane.note(provider, now);
    if (!calm.matches || provider.state !== was || now - (lane.drawn ?? 0) > 5000) {
      lane.draw(now);
      lane.drawn = now;
    }
    press(document.querySelector(`[data-faults=${provider.name}]`), provider.fault);
  }
  setTimeout(poll, found ? pollEvery : 4 * pollEvery);
}

// again requests sessions while the box is ticked.
async function again() {
  if (!$("again").checked || asking) return;
  asking = true;
  await start();
  setTimeout(() => {
    asking = false;
    again();
  }, askEvery);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");
$("breakers").append(...Object.values(lanes).map((lane) => lane.element));
document.querySelectorAll("[data-faults]").forEach(faultButtons);
$("start").addEventListener("click", start);
$("again").addEventListener("change", again);
$("message").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
poll();
