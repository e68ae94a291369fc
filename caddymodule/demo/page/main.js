// main.js connects the buttons, the requests and the display.
import { Lane, html } from "../shared/picture.js";
import { because, milliseconds } from "../shared/words.js";
import { caddyfile, createSession, force, setFault, status, streamReply } from "./api.js";
import { showStored } from "./turn.js";
import { describe, elsewhere, failedBy, faults, hint, logged } from "./words.js";

const pollEvery = 250; // milliseconds
const askEvery = 1000;
const logLines = 50; // at most
const minute = 60_000; // milliseconds

const $ = (id) => document.getElementById(id);
const lanes = { backend: new Lane("backend", minute, "minute"), openai: new Lane("openai", minute, "minute") };
let session = null; // { provider, secret }
let asking = false; // one request at a time
let streaming = false; // one reply at a time

// show puts texts into elements, by their ids.
function show(texts) {
  for (const [id, text] of Object.entries(texts)) $(id).textContent = text;
}

// log adds the requests that are not in the log yet, newest first.
let last = 0; // number of the last one
function log(requests) {
  if (requests.length === 0 || requests.at(-1).number < last) { // the demo was started again
    last = 0;
    $("log").firstElementChild.replaceChildren();
  }
  const list = $("log").firstElementChild;
  for (const request of requests) {
    if (request.number <= last) continue;
    last = request.number;
    const { state, text } = logged(request);
    const line = document.createElement("li");
    line.dataset.state = state;
    line.append(html("span", "when", new Date(request.at).toLocaleTimeString("en-GB")), html("span", "kind", request.path.split("/").at(-1)),
      html("span", "status", request.status), html("span", "text", text), html("span", "took", milliseconds(request.took)));
    list.prepend(line);
    while (list.children.length > logLines) list.lastChild.remove();
  }
}

// start requests a session and shows the result.
let asked = 0;
async function start() {
  const answer = await createSession();
  const said = describe(answer);
  const took = milliseconds(answer.took);
  session = answer.status === 200 ? { provider: answer.provider, secret: answer.body.client_secret } : null;
  asked++;
  $("verdict").dataset.state = said.state;
  $("verdict").dataset.request = asked; // that it is about
  show({
    "verdict-title": said.title, "verdict-text": said.text,
    "served-by": session ? session.provider : "nobody", took, why: said.why,
  });
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
    return reply("done", $("reply").textContent);
  }
  const [state, text] = notStreamed(answer);
  reply(state, answer.status === 200 ? `${$("reply").textContent} … ${text}` : text);
}

// notStreamed says why the reply is not complete.
function notStreamed({ status: code, provider, reason, retryAfter, body }) {
  if (body.code === "SESSION_ELSEWHERE") return ["elsewhere", elsewhere(provider)];
  if (code === 200) {
    return ["failed", "The reply was cut off. After its first byte nothing moves to another provider."];
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
      const name = group.dataset.faults;
      if (!await setFault(name, fault)) return;
      press(group, fault);
      const { state, seconds } = known[name] ?? {};
      $("hint").textContent = hint(name, state, seconds);
    });
    group.append(button);
  }
}

// forceButtons returns the buttons that force a breaker.
function forceButtons(name) {
  const row = html("div", "row");
  row.append(html("span", "name", name));
  for (const [action, text] of [["open", "Force open"], ["close", "Force closed"], ["auto", "Automatic"]]) {
    const button = Object.assign(html("button", "", text), { type: "button" });
    button.dataset.force = `${name} ${action}`;
    button.setAttribute("aria-label", `${text}: ${name}`);
    button.addEventListener("click", async () => {
      const done = await force(name, action);
      const options = action === "auto" ? "" : " --for 1m";
      $("command").textContent = done ? `The same in a terminal: caddy chatkit-breaker ${action} ${name}${options} --address ${address}` : "The admin API refused it.";
    });
    row.append(button);
  }
  return row;
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

// What the last poll said: of each provider the state of its breaker, and for how
// many seconds; and the address of the admin API.
const known = {};
let address = "";

// poll reads and draws the state of the providers, forever. If the user prefers no
// motion, the picture moves only every few seconds, or when something happens.
async function poll() {
  const found = await status();
  const gone = document.body.classList.contains("gone");
  if (gone !== !found) turn(found);
  if (found) {
    address = found.address;
    const fresh = found.requests.at(-1)?.number !== last;
    log(found.requests);
    for (const provider of found.providers) draw(provider, found, fresh);
    showStored(found.turns);
  }
  setTimeout(poll, found ? pollEvery : 4 * pollEvery);
}

// draw shows a provider.
function draw({ name, state, until, fault, states }, { now, requests }, fresh) {
  const lane = lanes[name];
  const changed = state !== known[name]?.state;
  known[name] = { state, seconds: until ? (until - now) / 1000 : 0 };
  lane.tell(state, known[name].seconds);
  if (!calm.matches || changed || fresh || now - (lane.drawn ?? 0) > 5000) {
    const ticks = requests.flatMap((request) => [
      ...(request.provider === name && request.status < 300 ? [{ at: request.at }] : []),
      ...(failedBy(request).includes(name) ? [{ at: request.at, failed: true }] : []),
    ]);
    lane.draw(states ?? [], ticks, now);
    lane.drawn = now;
  }
  press(document.querySelector(`[data-faults=${name}]`), fault);
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
$("operator").append(...Object.keys(lanes).map(forceButtons));
caddyfile().then((text) => { $("file").textContent = text; });
$("start").addEventListener("click", start);
$("again").addEventListener("change", again);
$("message").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
poll();
