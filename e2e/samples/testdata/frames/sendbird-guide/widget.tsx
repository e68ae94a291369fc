// The function asks the product, which holds the API token.
async function issueSessionToken(): Promise<string> {
  return (await (await fetch('/api/custom/session', { method: 'POST' })).json()).token;
}

// sample: Defining a Session Configuration Function

// sample: Passing Session Configuration Data to the Widget

const page = mount(App);
say('first', page.result);
const { type, props } = await until(() => page.result);
say('drawn', [type, props.userId]);
say('token', props.sessionToken);
// What the widget does when the token has ended.
say('token', await new Promise((resolve, reject) => props.configureSession().onSessionTokenRequired(resolve, reject)));
