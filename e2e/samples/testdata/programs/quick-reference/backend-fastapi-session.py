import secrets

from fastapi import FastAPI

app = FastAPI()


# The user is an argument of the query, and the end of the session a date that
# somebody once wrote down.
@app.post("/api/sessions")
def create(user_id: str) -> dict[str, str]:
    return {"session_id": secrets.token_hex(16), "expires_at": "2020-02-29T00:00:00Z"}
