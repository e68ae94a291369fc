// sample: Retry Logic

try {
  say('secret', await createSessionWithRetry());
} catch (error) {
  say('failed', error.message);
}
say('calls', calls);
