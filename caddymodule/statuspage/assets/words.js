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
  saturated: "was skipped because it has too many requests under way",
  hedge: "took so long that another provider answered first",
  ramp: "was skipped because it is recovering and gets a share only",
  drill: "was left out for an operator's drill",
  first_token: "showed no content in time",
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
  ramping: "ramping up",
  forced_open: "forced open",
  forced_closed: "forced closed",
};

export const milliseconds = (took) => `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;

// span returns a duration in words. It takes seconds.
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 100) return `${s} s`;
  if (s < 100 * 60) return `${Math.round(s / 60)} min`;
  return `${Math.round(s / 3600)} h`;
}
