// Log all API calls
const fetch = (target, ...rest) => {
  console.log('[API]', target);
  return globalThis.fetch(target, ...rest);
};

// Monitor session creation
onMessageSent: (event) => {
  console.log('Session ID:', event.message.session_id);
};

// Check backend response
const answer = await fetch('/api/custom/session', { method: 'POST' });
console.log('Status:', answer.status);
console.log('Response:', await answer.json());
