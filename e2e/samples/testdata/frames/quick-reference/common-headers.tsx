const token = process.env.TOKEN;

say('headers', {
  authentication: {
    // sample: Common Headers / Authentication
  },
  content: {
    // sample: Common Headers / Content type
  },
  streaming: {
    // sample: Common Headers / Streaming
  },
  cors: {
    // sample: Common Headers / CORS
  },
});
