// sample: The widget

const page = mount(App);
say('first', page.result);
const { type, props } = await until(() => page.result);
say('drawn', [type, props.userId]);
say('token', props.sessionToken);
// What the widget does when the token has ended.
say('token', await new Promise((resolve, reject) => props.configureSession().onSessionTokenRequired(resolve, reject)));
