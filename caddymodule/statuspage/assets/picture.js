// picture.js draws the states of a breaker over time: a band per state, higher
// the fewer requests pass, and a tick for each request: full if it was served,
// hollow if it failed.
import { span as inWords, states } from "./words.js";

const width = 600;
const height = 40;
const heights = { closed: 12, forced_closed: 12, half_open: 24, ramping: 18, open: 38, forced_open: 38 };
const namespace = "http://www.w3.org/2000/svg";

const shape = (name, attributes) => {
  const element = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

// html returns an element with a class and a text.
export const html = (name, className, text = "") => Object.assign(document.createElement(name), { className, textContent: text });

// Lane is the picture of one provider. span is the time shown, in milliseconds,
// and spoken its name.
export class Lane {
  constructor(name, span, spoken) {
    this.name = name;
    this.span = span;
    this.spoken = spoken;
    this.element = html("div", "lane");
    this.element.dataset.provider = name;
    this.label = html("span", "state");
    this.title = html("span", "name", name);
    const head = html("div", "lane-head");
    head.append(this.title, this.label);
    this.svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
    this.element.append(head, this.svg);
  }

  // tell describes the state in words. seconds is how long it lasts, if that is known.
  tell(state, seconds) {
    const word = states[state] ?? state;
    const end = { open: "a probe in", ramping: "all of it in", forced_open: "for", forced_closed: "for" }[state];
    this.label.textContent = end && seconds > 0 ? `${word}, ${end} ${inWords(Math.ceil(seconds))}` : word;
    if (this.element.dataset.state === state) return;
    this.element.dataset.state = state;
    this.svg.setAttribute("aria-label", `The breaker of ${this.name} over the last ${this.spoken}; now it is ${word}`);
  }

  // draw draws the changes of state, oldest first, and the ticks. All times are
  // the server's.
  draw(changes, ticks, now) {
    const x = (at) => Math.min(width, Math.max(0, (1 - (now - at) / this.span) * width));
    const bands = changes.flatMap(({ state, at }, i) => {
      const to = x(i + 1 < changes.length ? changes[i + 1].at : now);
      return to <= 0 ? [] : [shape("rect", {
        class: "band", "data-state": state, x: x(at), width: Math.max(1, to - x(at)),
        y: height - heights[state], height: heights[state],
      })];
    });
    const marks = ticks.filter(({ at }) => now - at < this.span).map(({ at, failed }) =>
      shape("rect", { class: "tick", x: x(at) - 1, width: failed ? 5 : 2, y: 4, height: 14, ...(failed && { "data-failed": "" }) }));
    this.svg.replaceChildren(...bands, ...marks);
  }
}
