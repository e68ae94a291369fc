type Described = { model?: string; metadata?: { [name: string]: unknown } };

type SessionRequest = Described & Readonly<{ user_id: string }>;

type SessionResponse = Described & Readonly<{ client_secret: string; expires_at?: string }>;

class ChatMessage {
  constructor(
    readonly id: string,
    readonly role: 'user' | 'assistant',
    readonly text: string,
    readonly timestamp: Date,
  ) {}
}
