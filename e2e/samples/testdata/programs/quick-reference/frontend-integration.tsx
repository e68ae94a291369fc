const chat = useChatKit({
  api: {
    getClientSecret: () =>
      fetch('/api/custom/session', { method: 'POST' })
        .then((answer) => answer.json())
        .then((session) => session.client_secret),
  },
});

return <ChatKit className="h-screen w-full" control={chat.control} />;
