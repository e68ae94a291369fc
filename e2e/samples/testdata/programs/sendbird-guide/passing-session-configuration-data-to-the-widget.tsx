export default function App() {
  const [token, setToken] = useState<string>('');

  useEffect(() => {
    void issueSessionToken(USER_ID).then(setToken);
  }, [USER_ID]);

  return token ? (
    <ChatAiWidget userId={USER_ID} sessionToken={token} configureSession={configureSession} />
  ) : null;
}
