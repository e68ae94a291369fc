// status.js shows what Caddy says of its providers, again and again.
import { Lane, html } from "./picture.js";
import { because, milliseconds, span } from "./words.js";

const hour = 3_600_000; // milliseconds
const retryAfter = 3000;
const buttons = document.body.dataset.buttons === "on";

const $ = (id) => document.getElementById(id);
const cards = new Map(); // by the provider's name

// verdict shows the headline.
function verdict(state, title, text) {
  $("verdict").dataset.state = state;
  // Only what changes: it is read out.
  if ($("verdict-title").textContent !== title) $("verdict-title").textContent = title;
  if ($("verdict-text").textContent !== text) $("verdict-text").textContent = text;
}

const places = (route) => (route.sites ?? []).join(", ");

// rank is 0 for a route that nobody serves, 1 for one whose provider fails all the
// same, 2 for a fallback, 3 for the first of the chain.
function rank(route, failing) {
  if (route.serving === "") return 0;
  if (failing.has(route.serving)) return 1;
  return route.serving === route.providers[0] ? 3 : 2;
}

// judge says who serves: sessions, or carried requests where there are no others.
function judge({ routes, providers }) {
  if (routes.length === 0) return verdict("dead", "Nothing to serve", "The configuration has no chatkit route.");
  const sessions = routes.filter(({ kind }) => ["session", "refresh", "openai_api"].includes(kind));
  const about = sessions.length > 0 ? sessions : routes;
  const failing = new Set(providers.filter((p) => p.failing_since).map(({ name }) => name));
  const ranked = about.map((route) => ({ route, at: rank(route, failing) })).toSorted((a, b) => a.at - b.at);
  const { route: worst, at } = ranked[0];
  const where = new Set(ranked.filter((other) => other.at === at).map(({ route }) => places(route)));
  const on = ranked.some((other) => other.at !== at) ? ` on ${[...where].join(", ")}` : "";
  const first = providers.find(({ name }) => name === worst.providers[0]);
  if (at === 0) return verdict("dead", `Nobody can serve${on}`, `Every provider is skipped: ${worst.providers.join(", ")}.`);
  if (at === 1) {
    const asked = providers.find(({ name }) => name === worst.serving);
    return verdict("fallback", `${asked.name} is asked${on}, and fails`, `Last, ${because(asked.name, asked.last_failure.reason)}.`);
  }
  if (at === 2) return verdict("fallback", `${worst.serving} serves${on}, in place of ${first.name}`, why(first));
  const forced = providers.filter((p) => p.forced).map(({ name }) => name);
  verdict("ok", `${worst.serving} serves`, forced.length > 0
    ? `Forced by an operator: ${forced.join(", ")}.` : "The first provider of every chain may be asked.");
}

// why says why a provider is not asked.
function why({ name, state, forced, last_failure: failure }) {
  if (state === "forced_open") return `An operator has forced the breaker of ${name} open: ${forced.reason || "no reason given"}.`;
  return failure ? `The breaker of ${name} is open; last, ${because(name, failure.reason)}.` : `${name} asked clients to wait.`;
}

const percent = (share) => (share === undefined ? "–" : `${Math.round(share * 100)} %`);
const rate = (perSecond) => `${Number(perSecond.toPrecision(3))}/s`;
const took = (seconds) => (seconds === undefined ? "–" : milliseconds(seconds * 1000));

// figures returns what is known of a provider: name, value, and where it stands.
function figures(p, now) {
  const ago = (at) => (at ? `${span((now - Date.parse(at)) / 1000)} ago` : "never");
  const list = [
    ["Served, 1 min", percent(p.share_1m)], ["Served, 5 min", percent(p.share_5m)],
    ["Answers, 1 min", rate(p.rate_1m)], ["Answers, 5 min", rate(p.rate_5m)],
    ["Mean time, 1 min", took(p.latency_1m)], ["Last success", ago(p.last_success)],
  ];
  if (p.failing_since) list.push(["Failing since", ago(p.failing_since), "bad"]);
  if (p.last_failure) list.push(["Last failure", `${p.last_failure.reason}${p.last_failure.status ? ` (${p.last_failure.status})` : ""}, ${ago(p.last_failure.at)}`, p.failing_since && "bad"]);
  if (p.last_error && p.failing_since) list.push(["Last error", p.last_error, "bad", "wide"]);
  if (p.ramp_share) list.push(["Ramping up", `gets ${percent(p.ramp_share)}`]);
  if (p.health) list.push(["Health", `${p.health.result}${p.health.status ? ` (${p.health.status})` : ""}, ${ago(p.health.at)}`, p.health.result !== "healthy" && "bad"]);
  if (p.in_flight * 2 > p.max_in_flight) list.push(["Under way", `${p.in_flight} of ${p.max_in_flight}`, p.in_flight >= p.max_in_flight && "bad"]);
  if (p.forced) list.push(["Forced", `${p.forced.reason || "no reason given"} (${p.forced.by}, ${ago(p.forced.at)})`, "", "wide"]);
  return list;
}

// Card is what is shown of a provider.
class Card {
  constructor(name) {
    this.lane = new Lane(name, hour, "hour");
    this.serving = html("span", "serving");
    this.lane.title.after(this.serving);
    this.list = html("dl", "figures");
    this.lane.element.append(this.list);
    if (buttons) this.lane.element.append(forceForm(name));
    $("providers").append(this.lane.element);
  }

  show(p, now, serves) {
    const until = p.forced?.until ?? p.open_until ?? p.ramp_until;
    this.lane.tell(p.state, until ? (Date.parse(until) - now) / 1000 : 0);
    this.lane.draw(p.states.map(({ state, at }) => ({ state, at: Date.parse(at) })), [], now);
    this.serving.textContent = !serves ? "" : p.failing_since ? "asked now, and fails" : "serves now";
    this.list.replaceChildren(...figures(p, now).map(([name, value, bad, wide]) => {
      const group = html("div", wide ?? "");
      if (bad) group.dataset.bad = "";
      group.append(html("dt", "", name), html("dd", "", value));
      return group;
    }));
  }
}

// forceForm returns the buttons that force a breaker.
function forceForm(name) {
  const form = html("details", "force");
  const length = document.createElement("select");
  for (const [value, text] of [["10m", "10 minutes"], ["1h", "1 hour"], ["4h", "4 hours"], ["24h", "24 hours"]]) length.append(new Option(text, value));
  const reason = Object.assign(document.createElement("input"), { maxLength: 200, autocomplete: "off" });
  const said = html("p", "said");
  said.setAttribute("role", "alert");
  const field = (text, input) => {
    const label = html("label", "", text);
    label.append(input);
    return label;
  };
  const button = (action, text) => {
    const b = Object.assign(html("button", "", text), { type: "button" });
    b.dataset.action = action;
    b.setAttribute("aria-label", `${text}: ${name}`);
    b.addEventListener("click", async () => {
      said.textContent = await force(name, action, length.value, reason.value);
    });
    return b;
  };
  const fields = html("div", "row");
  fields.append(field("For", length), field("Because", reason));
  const row = html("div", "row");
  row.append(button("open", "Force open"), button("close", "Force closed"), button("auto", "Automatic"));
  form.append(html("summary", "", `Force ${name} …`), fields, row, said);
  return form;
}

// force forces a breaker and returns what went wrong, "" if nothing did.
async function force(name, action, length, reason) {
  const body = action === "auto" ? undefined : JSON.stringify({ for: length, reason });
  try {
    const response = await fetch(`providers/${encodeURIComponent(name)}/${action}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body,
    });
    if (response.ok) return "";
    const { error } = await response.json().catch(() => ({}));
    return `Not forced: ${error ?? `Caddy answered ${response.status}`}.`;
  } catch {
    return "Not forced: Caddy does not answer.";
  }
}

const cell = (text, className = "") => html("td", className, text);

function row(...cells) {
  const tr = document.createElement("tr");
  tr.append(...cells);
  return tr;
}

// fill replaces the rows of a table, unless nothing has changed.
function fill(table, rows) {
  const body = table.tBodies[0];
  const text = rows.map((tr) => tr.textContent).join("\n");
  if (body.dataset.text === text) return;
  body.dataset.text = text;
  body.replaceChildren(...rows);
}

// show shows an overview.
function show(found) {
  const now = Date.parse(found.at);
  document.body.classList.remove("gone");
  judge(found);
  const serving = new Set(found.routes.map((route) => route.serving));
  const names = found.providers.map(({ name }) => name);
  if ([...cards.keys()].join() !== names.join()) {
    $("providers").replaceChildren();
    cards.clear();
    for (const name of names) cards.set(name, new Card(name));
  }
  for (const p of found.providers) cards.get(p.name).show(p, now, serving.has(p.name));
  fill($("fallbacks"), found.fallbacks.map((f) => row(
    cell(new Date(f.at).toLocaleTimeString("en-GB"), "when"), cell(`${f.served_by} for ${f.provider}: ${because(f.provider, f.reason)}`),
    cell(f.path), cell(f.request_id),
  )));
  $("fallbacks").hidden = found.fallbacks.length === 0;
  $("no-fallbacks").hidden = found.fallbacks.length > 0;
  fill($("routes"), found.routes.map((route) => row(
    cell(`${route.kind} ${route.path}`), cell(places(route) || "–"), cell(route.providers.join(", then ")),
    route.serving ? cell(route.serving) : cell("nobody", "nobody"),
  )));
}

// listen shows every overview that Caddy sends, as long as somebody looks.
let stream = null;
let again = 0;
function listen() {
  clearTimeout(again);
  stream?.close();
  stream = null;
  if (document.hidden) return;
  stream = new EventSource("events");
  stream.addEventListener("message", ({ data }) => show(JSON.parse(data)));
  stream.addEventListener("error", () => {
    stream.close();
    again = setTimeout(listen, retryAfter);
    lost();
  });
}

// lost says that Caddy is gone, unless it is back soon: a reload ends the stream.
function lost() {
  setTimeout(() => {
    if (stream?.readyState === EventSource.OPEN || document.hidden) return;
    document.body.classList.add("gone");
    verdict("dead", "Caddy does not answer", "What stands below is the last that it said.");
  }, 2 * retryAfter);
}

document.addEventListener("visibilitychange", listen);
listen();
