// The whole guide, as it stands, at the Platform API.
// sample: Defining a Function to Issue Session Tokens

// sample: Defining a Session Configuration Function

// sample: Passing Session Configuration Data to the Widget

const { type, props } = await (async (page) => until(() => page.result))(mount(App));
say('drawn', [type, props.userId]);
say('token', props.sessionToken);
say('token', await new Promise((resolve, reject) => props.configureSession().onSessionTokenRequired(resolve, reject)));
