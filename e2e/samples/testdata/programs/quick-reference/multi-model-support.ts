const [model, setModel] = useState('default');

const { control } = useChatKit({
  api: {
    getClientSecret: async () => {
      const body = JSON.stringify({ model });
      const answer = await fetch('/api/custom/session', { method: 'POST', body });
      const { client_secret } = await answer.json();
      return client_secret;
    },
  },
});
