// looks measures the page and returns what is wrong with it, in words.

// luminance of a colour as the style has it: rgb(…) or rgba(…).
function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const channels = (color) => color.match(/[\d.]+/g).map(Number);

// behind is the first background that is not transparent.
function behind(element) {
  for (let e = element; e; e = e.parentElement) {
    const [r, g, b, a = 1] = channels(getComputedStyle(e).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
}

function contrast(element) {
  const text = luminance(channels(getComputedStyle(element).color).slice(0, 3));
  const ground = luminance(behind(element));
  return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
}

const named = (e) => `<${e.localName}${e.id && "#" + e.id}> "${e.textContent.trim().slice(0, 30)}"`;

function looks() {
  const wrong = [];
  const width = document.documentElement.clientWidth;
  for (const e of document.body.querySelectorAll("*")) {
    if (!e.checkVisibility() || e.closest("svg")) continue;
    const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    // WCAG AA for text of any size.
    if (own && contrast(e) < 4.5) wrong.push(`${named(e)} has a contrast of ${contrast(e).toFixed(2)}`);
    const box = e.getBoundingClientRect();
    if (box.left < -0.5 || box.right > width + 0.5) wrong.push(`${named(e)} reaches out of the screen`);
    if (own && e.localName !== "input" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) wrong.push(`${named(e)} is cut`);
    if (["BUTTON", "INPUT"].includes(e.tagName)) {
      if (!(e.textContent.trim() || e.labels?.length)) wrong.push(`${named(e)} has no name`);
      const target = e.type === "checkbox" ? e.labels[0].getBoundingClientRect() : box;
      if (target.height < 44) wrong.push(`${named(e)} is ${target.height} high, too small for a finger`);
    }
  }
  return wrong;
}
