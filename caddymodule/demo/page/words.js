// words.js explains chatkit's headers and codes in plain words.

// reasons say why a provider did not serve. Each follows the provider's name.
const reasons = {
  dial: "could not be reached",
  dns: "has a host name that does not resolve",
  tls: "could not establish a secure connection",
  timeout: "took too long to answer",
  abandoned: "took too long for the client to wait",
  reset: "closed the connection, or did not answer with HTTP",
  status_5xx: "answered with a server error",
  status_408: "answered that the request took too long",
  status_425: "answered that it is too early",
  status_429: "answered that there are too many requests",
  status_4xx: "answered with a client error",
  misconfigured: "answered as if our key or its address were wrong",
  rejected: "refused this user",
  invalid_response: "answered without a usable session",
  open: "was skipped because its breaker is open",
  forced_open: "was skipped because an operator forced its breaker open",
  cooldown: "was skipped because it asked clients to wait",
  rate_limited: "was skipped because its rate limit is used up",
  budget: "was skipped because there was no time left",
  canceled: "was no longer needed",
};

// because returns the reason in words, followed by chatkit's own name for it.
export const because = (provider, reason) => `${provider} ${reasons[reason] ?? "did not serve"} (${reason})`;

// states are the states of a breaker.
export const states = {
  closed: "closed",
  half_open: "half-open",
  open: "open",
  forced_open: "forced open",
  forced_closed: "forced closed",
};

// faults are the buttons: the fault's name, and the button's label.
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

// elsewhere explains why a message is not forwarded; elsewhereShort is for the log.
export const elsewhere = (provider) =>
  `${provider} issued this session, so the chat widget now talks to ${provider} directly, without Caddy. ` +
  "There is nothing to forward to the backend (409 SESSION_ELSEWHERE).";

export const elsewhereShort = (provider) => `Not forwarded: the widget talks to ${provider} directly`;
