const { control } = useChatKit({
  api: {
    getClientSecret: async () => {
      const headers = new Headers({ 'X-Auth-Token': await getAuthToken() });
      const answer = await fetch('/api/custom/session', { method: 'POST', headers: Object.fromEntries(headers) });
      const { client_secret } = await answer.json();
      return client_secret;
    },
  },
});
