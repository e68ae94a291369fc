async function page() {
  // sample: Debugging Tips
}

await page();

const session = await (await fetch('/api/custom/session', { method: 'POST' })).json();
const options = {
  // sample: Debugging Tips / Monitor session creation
};
options.onMessageSent({ message: { session_id: session.client_secret } });
say('secret', session.client_secret);
