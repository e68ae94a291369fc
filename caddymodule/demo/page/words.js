// words.js says in plain words what the product says in headers and codes.

// reasons are why a provider did not serve, each to be read behind its name.
const reasons = {
  dial: "could not be reached",
  dns: "has an address that does not resolve",
  tls: "failed to set up a secure connection",
  timeout: "took too long to answer",
  reset: "broke off, or sent what is no HTTP",
  status_5xx: "answered with a server error",
  status_408: "answered that the request took too long",
  status_425: "answered that it is too early",
  status_429: "answered that it gets too many requests",
  status_4xx: "answered with a client error",
  misconfigured: "answered as if our key or its address were wrong",
  rejected: "refused this user",
  invalid_response: "answered without a usable session",
  open: "was not asked, its breaker keeps it out",
  forced_open: "was not asked, an operator keeps it out",
  cooldown: "was not asked, it wants to be left alone for a while",
  rate_limited: "was not asked, its limit is used up",
  budget: "was not asked, there was no time left",
  canceled: "was not needed any more",
};

// because is the reason in words, with the product's own word behind.
export const because = (provider, reason) => `${provider} ${reasons[reason] ?? "did not serve"} (${reason})`;

// states are what a breaker can be in.
export const states = {
  closed: "closed",
  half_open: "half-open",
  open: "open",
  forced_open: "forced open",
  forced_closed: "forced closed",
};

// faults are the buttons: what the switch takes, and what stands on it.
export const faults = [
  ["none", "Healthy"],
  ["refuse", "Refuse"],
  ["hang", "Hang"],
  ["500", "Error 500"],
  ["garbage", "Garbage"],
  ["slow", "Slow"],
];

export const milliseconds = (took) => `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;

const first = "backend"; // of the chain

// describe says what became of a session request: the state of the whole, a
// title, a sentence, and why the first provider did not serve.
export function describe({ status, provider, reason, retryAfter, body }) {
  if (status === 200 && !reason) {
    return { state: "ok", title: `Served by ${provider}`, text: "The first provider of the chain answered.", why: "first of the chain" };
  }
  if (status === 200) {
    const why = because(first, reason);
    return { state: "fallback", title: `Served by ${provider}`, text: `A fallback: ${why}.`, why };
  }
  if (body.code === "REJECTED") {
    return { state: "refused", title: `${provider} refused this user`, text: "No session elsewhere for a user whom a provider refuses.", why: body.details };
  }
  const wait = retryAfter ? ` Retry-After: ${retryAfter} s.` : "";
  if (body.code === "SESSION_ERROR") {
    return { state: "dead", title: "Nobody can serve", text: `${body.details}.${wait}`, why: body.details };
  }
  return { state: "refused", title: "No session", text: `${body.details ?? body.error ?? "Caddy did not answer"}.${wait}`, why: body.code ?? "no answer" };
}

// elsewhere explains why a message is not carried; elsewhereShort is for the log.
export const elsewhere = (provider) =>
  `${provider} has issued this session, so the chat widget now talks to ${provider} directly, past Caddy. ` +
  "There is nothing to carry to the backend (409 SESSION_ELSEWHERE).";

export const elsewhereShort = (provider) => `Not carried: the widget talks to ${provider} directly`;
