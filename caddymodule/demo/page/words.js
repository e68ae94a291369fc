// words.js explains what the demo shows in plain words.
import { because } from "../shared/words.js";

// faults are the buttons: the fault's name, and the button's label.
export const faults = [
  ["none", "Healthy"],
  ["refuse", "Refuse"],
  ["hang", "Hang"],
  ["500", "Error 500"],
  ["garbage", "Garbage"],
  ["slow", "Slow"],
];

const first = "backend"; // of the chain

// describe explains the result of a session request: a state, a title, a
// sentence, and why the first provider did not serve.
export function describe({ status, provider, reason, retryAfter, body }) {
  if (status === 200 && !reason) {
    return { state: "ok", title: `Served by ${provider}`, text: "The first provider of the chain answered.", why: "first of the chain" };
  }
  if (status === 200) {
    const why = because(first, reason);
    return { state: "fallback", title: `Served by ${provider}`, text: `A fallback: ${why}.`, why };
  }
  if (body.code === "REJECTED") {
    return { state: "refused", title: `${provider} refused this user`, text: "A user refused by one provider does not get a session from another.", why: body.details };
  }
  const wait = retryAfter ? ` Retry-After: ${retryAfter} s.` : "";
  if (body.code === "SESSION_ERROR") {
    return { state: "dead", title: "No provider can serve", text: `${body.details}.${wait}`, why: body.details };
  }
  return { state: "refused", title: "No session", text: `${body.details ?? body.error ?? "Caddy did not answer"}.${wait}`, why: body.code ?? "no answer" };
}

// elsewhere explains why a message is not forwarded.
export const elsewhere = (provider) =>
  `${provider} issued this session, so the chat widget now talks to ${provider} directly, without Caddy. ` +
  "There is nothing to forward to the backend (409 SESSION_ELSEWHERE).";

// logged explains a request of the log, whoever made it: a state and a text.
export function logged({ path, status, provider, reason, outcome }) {
  const why = reason && because(first, reason);
  if (provider === "none" && status < 300) return { state: "dead", text: `No backend answers: ${why}` };
  if (outcome === "canceled") return { state: "elsewhere", text: `Carried by ${provider} until the client left` };
  const done = path.endsWith("/session") || path.endsWith("/refresh") ? "Served" : "Carried";
  if (["cut", "idle"].includes(outcome)) return { state: "failed", text: `Cut off by ${provider} after its first byte` };
  if (provider === "standin") return { state: "fallback", text: `Answered by a stand-in: ${why}` };
  if (status === 409) return { state: "elsewhere", text: "Not forwarded: the widget talks to the issuer of the session directly" };
  if (status < 300) return { state: why ? "fallback" : "ok", text: `${done} by ${provider}${why ? `: ${why}` : ""}` };
  if (provider !== "none") return { state: "refused", text: `${provider} refused this user` };
  if (why) return { state: "dead", text: `No provider can serve: ${why}` };
  return { state: "refused", text: "Refused before any provider was asked" };
}

// failedBy lists the providers that failed in a request. One that nobody served
// counts for the last of the chain, which had to.
export function failedBy({ status, reason, skipped }) {
  const unserved = status >= 500;
  return [...(reason && !skipped && (unserved || status < 300) ? [first] : []), ...(unserved ? ["openai"] : [])];
}

// stored says what the backend has stored of a turn.
export const stored = {
  writing: "The backend is still writing the answer.",
  whole: "The whole answer.",
  cancelled: "Half of the answer, and that the user has cancelled it. The model obeys that in the next turn.",
};

// turnNotes say what has become of a turn on this page.
export const turnNotes = {
  lost: "The connection is lost. The page asks again in a second, with the same request.",
  same: "It is the same turn. It went on without the page, and came again from its first frame.",
  other: "It is another turn: the backend was asked once more, and works (and bills) twice.",
  stopped: "Stopped. Over HTTP/1.1, which this page speaks, nobody can tell that from a lost connection, so the turn goes on. Over HTTP/2 the backend would be cancelled after 5 seconds.",
  stoppedPlain: "Stopped. The backend cannot tell that from a lost connection.",
  broken: "The answer broke off.",
};

// hint says why a new fault has no effect yet, "" if it has one.
export function hint(provider, state, seconds) {
  if (state === "forced_open") return `The breaker of ${provider} is forced open: nobody asks it, so you will not see this before that ends.`;
  if (state !== "open") return "";
  return `The breaker of ${provider} is open: nobody asks it, so you will see this only when a probe does${seconds > 0 ? `, in ${Math.ceil(seconds)} s at the earliest` : ""}.`;
}
