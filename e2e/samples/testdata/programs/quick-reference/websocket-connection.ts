function useWebSocketChat(session: string) {
  const socket = useRef<WebSocket | null>(null);

  useEffect(() => {
    const ws = new WebSocket(`ws://localhost:3000/api/ws/chat/${session}`);
    ws.onmessage = ({ data }) => void JSON.parse(data);
    socket.current = ws;
    return () => ws.close();
  }, [session]);

  return { send: (text: string) => socket.current!.send(JSON.stringify({ type: 'message', text })) };
}
