const { control } = useChatKit({
  api: {
    getClientSecret: async () => {
      const answer = await fetch('/api/custom/session', { method: 'POST' });
      if (answer.ok) {
        const session = await answer.json();
        return session.client_secret;
      }
      console.error('Session failed:', answer.status);
      showNotification('Chat service unavailable', 'error');
      throw new Error(`HTTP ${answer.status}`);
    },
  },
  onError: (event) => console.error('Chat error:', event.error.message),
});
