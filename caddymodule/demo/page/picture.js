// picture.js draws the states of a breaker over time: a band per state, higher
// the fewer requests pass, and a tick for each session served.
import { states } from "./words.js";

const span = 60_000; // time shown, in milliseconds
const width = 600;
const height = 40;
const heights = { closed: 12, forced_closed: 12, half_open: 24, open: 38, forced_open: 38 };
const namespace = "http://www.w3.org/2000/svg";

const shape = (name, attributes) => {
  const element = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

const html = (name, className, text = "") => Object.assign(document.createElement(name), { className, textContent: text });

// Lane is the picture of one provider.
export class Lane {
  constructor(name) {
    this.bands = []; // { state, from, to }
    this.ticks = []; // times
    this.element = html("div", "lane");
    this.element.dataset.provider = name;
    this.name = name;
    this.label = html("span", "state");
    const head = html("div", "lane-head");
    head.append(html("span", "name", name), this.label);
    this.svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
    this.element.append(head, this.svg);
  }

  // served records a session.
  served(at) {
    this.ticks.push(at);
  }

  // note records the result of a poll.
  note({ state, probe_in: probeIn }, at) {
    const last = this.bands.at(-1);
    if (last) last.to = at;
    if (last?.state !== state) this.bands.push({ state, from: at, to: at });
    this.bands = this.bands.filter((band) => band.to > at - span);
    this.ticks = this.ticks.filter((tick) => tick > at - span);
    this.tell(state, probeIn);
  }

  // tell describes the state in words.
  tell(state, probeIn) {
    const word = states[state] ?? state;
    this.label.textContent = state === "open" && probeIn > 0 ? `${word}, a probe in ${Math.ceil(probeIn)} s` : word;
    if (this.element.dataset.state === state) return;
    this.element.dataset.state = state;
    this.svg.setAttribute("aria-label", `The breaker of ${this.name} over the last minute; now it is ${word}`);
  }

  draw(now) {
    const x = (at) => Math.max(0, (1 - (now - at) / span) * width);
    const bands = this.bands.map(({ state, from, to }) => shape("rect", {
      class: "band", "data-state": state, x: x(from), width: Math.max(1, x(to) - x(from)),
      y: height - heights[state], height: heights[state],
    }));
    const ticks = this.ticks.map((at) => shape("rect", { class: "tick", x: x(at) - 1, width: 2, y: 4, height: 14 }));
    this.svg.replaceChildren(...bands, ...ticks);
  }
}
