async function* streamResponse(session: string, message: string): AsyncGenerator<string> {
  const { body } = await fetch('/api/custom/stream', {
    method: 'POST',
    headers: { Authorization: `Bearer ${session}` },
    body: JSON.stringify({ message }),
  });
  for await (const piece of body!.pipeThrough(new TextDecoderStream())) yield piece;
}
