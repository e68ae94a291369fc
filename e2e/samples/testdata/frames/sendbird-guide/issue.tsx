// The guide's own function, at the Platform API.
// sample: Defining a Function to Issue Session Tokens

for (const user of ['USER_ID', 'nobody']) {
  try {
    say('token', await issueSessionToken(user));
  } catch (error) {
    say('failed', error.message);
  }
}
