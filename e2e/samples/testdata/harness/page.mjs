// What a browser and an app have around a sample: relative URLs and CORS, React's
// hooks, the ChatKit widget, and the functions that the samples leave to the app.
// The page, a module, is the argument. It says what happens on standard output, a
// line of JSON each, and ends with its standard input at the latest, so that none
// is left over.
//
// SITE is the base of the URLs. ORIGIN is where the page comes from; if it is not
// the site, requests obey CORS.

import { createRequire } from 'node:module';
import { format } from 'node:util';

const require = createRequire(import.meta.url); // looks into NODE_PATH, which import does not
const { SITE, ORIGIN } = process.env;

process.stdin.on('end', () => process.exit(3)).resume().unref?.();

globalThis.say = (what, value = null) => process.stdout.write(`${JSON.stringify({ what, value })}\n`);
for (const level of ['log', 'warn', 'error']) {
  console[level] = (...args) => say(`console.${level}`, format(...args));
}

// --- fetch

const nodeFetch = globalThis.fetch;
globalThis.calls = []; // what was fetched, as path and status

globalThis.fetch = async (target, init = {}) => {
  const url = new URL(target, SITE);
  const send = ORIGIN && ORIGIN !== url.origin ? crossOrigin : nodeFetch;
  const response = await send(url, init);
  calls.push(`${url.pathname} ${response.status}`);
  return response;
};

// The part of the Fetch standard's CORS protocol that these requests need.
async function crossOrigin(url, { method = 'GET', headers = {}, ...rest }) {
  const asked = unsafe(new Headers(headers));
  if (asked.length > 0) await preflight(url, method, asked);
  const response = await nodeFetch(url, { ...rest, method, headers: { ...headers, Origin: ORIGIN } });
  if (!allowsOrigin(response)) throw new TypeError('Failed to fetch');
  return response;
}

async function preflight(url, method, asked) {
  const answer = await nodeFetch(url, {
    method: 'OPTIONS',
    headers: {
      Origin: ORIGIN,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': asked.join(','),
    },
  });
  say('preflight', asked);
  const allowed = list(answer, 'access-control-allow-headers');
  const fine = answer.ok && allowsOrigin(answer) && asked.every((n) => allowed.includes(n) || allowed.includes('*'));
  if (!fine) throw new TypeError('Failed to fetch');
}

// Names that may be sent without asking; the types of content are not looked at.
const unsafe = (headers) => [...headers.keys()].filter((n) => !['accept', 'accept-language', 'content-language'].includes(n)).sort();
const list = (answer, name) => (answer.headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/);
const allowsOrigin = (answer) => ['*', ORIGIN].includes(answer.headers.get('access-control-allow-origin'));

// --- WebSocket, which Node 20 has none of

globalThis.sockets = [];
Object.defineProperty(globalThis, 'WebSocket', {
  get() {
    const { WebSocket } = require('ws');
    return class extends WebSocket {
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
    };
  },
});

// --- React: one component at a time, drawn again when its state changes

let drawing;

const hook = (make) => {
  const { cells } = drawing;
  const at = drawing.cursor++;
  return (cells[at] ??= make());
};

globalThis.useState = (initial) => {
  const component = drawing;
  const cell = hook(() => ({ value: initial }));
  return [cell.value, (value) => {
    cell.value = value;
    component.draw();
  }];
};

globalThis.useRef = (initial) => hook(() => ({ current: initial }));

globalThis.useEffect = (effect, needs) => {
  const cell = hook(() => ({}));
  if (cell.needs && cell.needs.every((v, i) => Object.is(v, needs[i]))) return;
  cell.needs = needs;
  drawing.effects.push(() => {
    cell.end?.();
    cell.end = effect();
  });
};

globalThis.mount = (render) => {
  const component = {
    cells: [],
    draw() {
      drawing = Object.assign(component, { cursor: 0, effects: [] });
      component.result = render();
      drawing = undefined;
      component.effects.forEach((effect) => effect());
    },
    unmount: () => component.cells.forEach((cell) => cell.end?.()),
  };
  component.draw();
  return component;
};

globalThis.h = (type, props, ...children) => ({ type, props, children });

// --- the widgets

globalThis.ChatKit = 'openai-chatkit';
globalThis.ChatAiWidget = 'chat-ai-widget';

// @openai/chatkit-react hands its options on to the element, and so does this.
globalThis.useChatKit = (options) => ({ control: { options } });

// What the element does with them: it asks for a secret, and reports what fails.
globalThis.start = async ({ options }) => {
  try {
    return await options.api.getClientSecret(null);
  } catch (error) {
    options.onError?.({ error });
    return { failed: error.message };
  }
};

// --- the app

globalThis.getAuthToken = async () => 'token-of-the-app';
globalThis.showNotification = (...args) => say('notification', args);

// until waits for something to be there.
globalThis.until = async (look) => {
  for (let i = 0; i < 1000; i++) {
    const value = look();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${look}`);
};

await import(process.argv[2]);
process.exit(); // connections kept alive would hold it up
