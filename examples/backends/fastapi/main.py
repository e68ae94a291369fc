"""A chat backend as caddy-chatkit expects it, with FastAPI.

It keeps its sessions in memory and says back what it is told: put your model
where reply is called. Run it with: uvicorn main:app --port 8000
"""

import json
import os
import secrets
from datetime import datetime, timedelta, timezone

from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

KEY = os.environ.get("CUSTOM_BACKEND_KEY", "")  # that Caddy sends
LIFETIME = timedelta(hours=1)

app = FastAPI()
sessions: dict[str, tuple[str, datetime]] = {}


class SessionRequest(BaseModel):
    user_id: str
    model: str | None = None
    metadata: dict | None = None


class Message(BaseModel):
    message: str


def bearer(authorization: str = Header("")) -> str:
    """The token of a request."""
    return authorization.removeprefix("Bearer ")


def find(session: str) -> str | None:
    """The user of a session. Forgets a session that has expired."""
    user, expires = sessions.get(session, ("", datetime.min.replace(tzinfo=timezone.utc)))
    if expires < datetime.now(timezone.utc):
        sessions.pop(session, None)
        return None
    return user


def user_of(token: str = Depends(bearer)) -> str:
    """The user of a message or stream. Without a session it is a 401."""
    user = find(token)
    if user is None:
        raise HTTPException(401, "unknown session")
    return user


def reply(user: str, text: str) -> str:
    """Where a model would be asked."""
    return f"{user} said: {text}"


@app.post("/api/sessions")
def create(asked: SessionRequest, token: str = Depends(bearer)) -> dict:
    """Answers a session request of Caddy."""
    if KEY and not secrets.compare_digest(token.encode(), KEY.encode()):
        raise HTTPException(401, "wrong key")
    session, expires = secrets.token_urlsafe(), datetime.now(timezone.utc) + LIFETIME
    sessions[session] = (asked.user_id, expires)
    return {"session_id": session, "expires_at": expires.isoformat(), "model": asked.model, "metadata": asked.metadata}


@app.post("/api/chat")
def message(body: Message, user: str = Depends(user_of)) -> dict:
    """Answers in one piece."""
    return {"reply": reply(user, body.message)}


@app.post("/api/chat/stream")
def stream(body: Message, user: str = Depends(user_of)) -> StreamingResponse:
    """Answers word by word, as server-sent events."""

    async def events():
        words = reply(user, body.message).split(" ")
        for i, word in enumerate(words):
            delta = word + (" " if i < len(words) - 1 else "")
            yield f"data: {json.dumps({'delta': delta})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.websocket("/ws/chat/{session}")
async def socket(ws: WebSocket, session: str) -> None:
    """Answers each message on a WebSocket with one."""
    user = find(session)
    if user is None:
        await ws.close()
        return
    await ws.accept()
    try:
        while True:
            body = await ws.receive_json()
            await ws.send_json({"reply": reply(user, body["message"])})
    except WebSocketDisconnect:
        pass
