// turn.js is the panel with the ChatKit turn: a question, the loss of its
// connection, and what the backend stores then.
import { html } from "../shared/picture.js";
import { status, streamTurn, turnRequest } from "./api.js";
import { stored, turnNotes } from "./words.js";

const backAfter = 1000; // milliseconds until a client that is lost is back

const $ = (id) => document.getElementById(id);
const frame = crypto.randomUUID(); // of this page, as the widget's frames have one
const threads = {}; // the conversation, by path
let turn = null; // the last one: { path, body, after, item, left, control }
let busy = false;

function show(state, text, note = "") {
  $("answer").dataset.state = state;
  $("answer").textContent = text;
  $("turn-note").textContent = note;
}

// turnBusy marks the buttons. It does not disable them, to keep the focus.
function turnBusy(on) {
  busy = on;
  $("ask-button").setAttribute("aria-disabled", String(on));
  for (const id of ["lose", "stop"]) $(id).setAttribute("aria-disabled", String(!on));
}

// ask asks the question. If the connection is lost it sends the identical request.
async function ask() {
  if (busy) return;
  turnBusy(true);
  show("streaming", "");
  const known = await status();
  notices();
  const path = $("plain").checked ? "/plain/chatkit" : "/chatkit";
  turn = {
    path, body: turnRequest($("question").value, threads[path]),
    after: known?.turns.at(-1)?.number ?? 0, item: "", left: "",
  };
  await read(() => "");
  while (turn.left === "lost") {
    const before = turn.item;
    await new Promise((resolve) => { setTimeout(resolve, backAfter); });
    show("streaming", "");
    await read((item) => turnNotes[item === before ? "same" : "other"]);
  }
  turnBusy(false);
}

// read reads the turn from its first frame on. It explains what it reads.
async function read(explain) {
  turn.left = "";
  turn.control = new AbortController();
  let failure = "";
  const answer = await streamTurn(turn.path, turn.body, frame, turn.control.signal, (event) => {
    if (event.type === "error") failure = event.message ?? turnNotes.broken;
    else apply(event, explain);
  });
  if (failure || answer.status !== 200) delete threads[turn.path]; // the next question begins anew
  const text = $("answer").textContent;
  if (turn.left) return show("lost", `${text} …`, leaving());
  if (answer.status !== 200) failure = answer.body.details ?? answer.body.error ?? "No answer";
  else if (answer.broken) failure = turnNotes.broken;
  if (failure) return show("failed", text ? `${text} … ${failure}` : failure);
  return show("done", text, $("turn-note").textContent);
}

// leaving says what it means that the page has left the turn.
function leaving() {
  if (turn.left === "lost") return turnNotes.lost;
  return turn.path === "/chatkit" ? turnNotes.stopped : turnNotes.stoppedPlain;
}

// notices shows what notices say, as the widget does: beside the answer.
function notices(...texts) {
  $("notice").textContent = texts.filter(Boolean).join(". ");
}

// apply shows an event of the protocol.
function apply({ type, thread, item, update, title, message }, explain) {
  if (type === "thread.created") {
    threads[turn.path] = thread.id;
  } else if (type === "notice") {
    notices(title, message);
  } else if (type === "thread.item.done" && item.type === "user_message") {
    turn.item = item.id;
    $("turn-note").textContent = explain(item.id);
  } else if (type === "thread.item.done") {
    $("answer").textContent = item.content.map((part) => part.text).join("");
  } else if (update?.type === "assistant_message.content_part.text_delta") {
    $("answer").append(update.delta);
  }
}

// leave ends the request as a lost connection does, or a user who stops it.
function leave(how) {
  if (!busy || !turn?.control || turn.left) return;
  turn.left = how;
  turn.control.abort();
}

// showStored shows what the backend has stored of the last question.
let shown = "";
export function showStored(turns) {
  const mine = turn ? turns.filter(({ number }) => number > turn.after) : [];
  const now = mine.map(({ state }) => state).join();
  if (now === shown) return;
  shown = now;
  $("stored").firstElementChild.replaceChildren(...mine.map(({ state }) => {
    const line = html("li", "", stored[state]);
    line.dataset.state = state;
    return line;
  }));
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
$("lose").addEventListener("click", () => leave("lost"));
$("stop").addEventListener("click", () => leave("stopped"));
