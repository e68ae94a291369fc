app.post('/api/sessions', async (request, response) => {
  const end = new Date(Date.now() + 600_000);
  response.status(200).send({ expires_at: end.toISOString(), session_id: crypto.randomUUID() });
});
