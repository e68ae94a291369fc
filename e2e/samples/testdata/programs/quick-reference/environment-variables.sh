NEXT_PUBLIC_API_URL=https://chat.example.com
CUSTOM_BACKEND_URL=https://backend.example.com/v1
CUSTOM_BACKEND_KEY=key-of-the-backend
