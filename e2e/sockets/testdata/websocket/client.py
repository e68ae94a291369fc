"""A WebSocket client by python-websockets: python3 client.py ws://host/path/

It goes through all the cases, with a connection of its own to that path for
each, and prints a line of JSON per case. client.cjs does the same.
"""

import asyncio
import hashlib
import json
import os
import sys
import threading
import time

import websockets

base = sys.argv[1]


def connect(name, subprotocols=None, compression=None):
    # max_size is 1 MiB by default.
    return websockets.connect(
        base + name, max_size=32 << 20, subprotocols=subprotocols, compression=compression, ping_interval=None
    )


async def leave(ws):
    """Closes as it should be."""
    await ws.close(1000, "done")
    if (ws.close_code, ws.close_reason) != (1000, "done"):
        raise RuntimeError(f"closed with {ws.close_code} {ws.close_reason}")


def summary(message):
    """What a message is, by length and hash."""
    data = message.encode() if isinstance(message, str) else message
    return {
        "binary": isinstance(message, bytes),
        "length": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def echo(*parts, compression=None):
    """Sends a message, in one piece or in fragments, and awaits it."""

    async def run(name):
        ws = await connect(name, compression=compression)
        await ws.send(parts[0] if len(parts) == 1 else list(parts))
        got = summary(await ws.recv())
        extensions = [e.name for e in ws.extensions]
        await leave(ws)
        ok = got == summary(type(parts[0])().join(parts))
        ok = ok and extensions == (["permessage-deflate"] if compression else [])
        return ok, {**got, "extensions": extensions}

    return run


def answered(command, want):
    """Sends a command and awaits a text."""

    async def run(name):
        ws = await connect(name)
        await ws.send(command)
        got = await ws.recv()
        await leave(ws)
        return got == want, str(got)

    return run


async def ping(name):
    ws = await connect(name)
    payload = "from the client, ü"
    # Only a pong with that payload, or with that of a later ping, ends the wait.
    await (await ws.ping(payload))
    await leave(ws)
    return True, payload


async def subprotocol(name):
    ws = await connect(name, subprotocols=["chat.v2", "chat.v1"])
    got = ws.subprotocol
    await leave(ws)
    return got == "chat.v1", got


async def many(name):
    ws = await connect(name)
    want = [f"message {i}" for i in range(200)]

    async def send():
        for text in want:
            await ws.send(text)

    sending = asyncio.create_task(send())
    got = [await ws.recv() for _ in want]
    await sending
    await leave(ws)
    return got == want, len(got) if got == want else got


def ended(command):
    """Awaits the end without a closing handshake, which has to come soon and
    without another message: 1006, or 1011 by somebody who says so for the
    other."""

    async def run(name):
        ws = await connect(name)
        await ws.send("first")
        await ws.recv()
        start = time.monotonic()
        await ws.send(command)
        more = 0
        try:
            while True:
                await ws.recv()
                more += 1
        except websockets.ConnectionClosed:
            took = time.monotonic() - start
        got = {"code": ws.close_code, "reason": ws.close_reason, "more": more, "took": round(took * 1000)}
        return ws.close_code in (1006, 1011) and more == 0 and took < 5, got

    return run


async def cut_client(name):
    """The server has to see that the client is gone; it reports that."""
    ws = await connect(name)
    ws.transport.abort()
    await ws.wait_closed()
    return ws.close_code == 1006, {"code": ws.close_code}


def closing(code, by_server):
    """Closes with a code, by the client or by a command to the server, and
    awaits the same code and reason."""

    async def run(name):
        ws = await connect(name)
        reason = f"reason {code}, für dich"
        if by_server:
            await ws.send(f"!close {code} {reason}")
            await ws.wait_closed()
        else:
            await ws.close(code, reason)
        got = {"code": ws.close_code, "reason": ws.close_reason}
        return got == {"code": code, "reason": reason}, got

    return run


BYTES = bytes(range(256))
LARGE = hashlib.sha512(b"16 MiB").digest() * ((16 << 20) // 64)

cases = {
    "text": echo("Grüße, ÄÖÜ ß, 漢字, 👩‍🚀🎈"),
    "binary": echo(BYTES),
    "empty": echo(""),
    "empty-binary": echo(b""),
    "large": echo(LARGE),
    "fragments": echo("eins, ", "zwölf, ", "", "🎈"),
    "fragments-binary": echo(BYTES, LARGE[:100_000], BYTES),
    "fragments-server": answered("!fragments", "eins, zwölf, 🎈"),
    "compressed": echo("compress me, " * 100_000, compression="deflate"),
    "many": many,
    "ping": ping,
    "ping-server": answered("!ping", "pong from the server, ü"),
    "subprotocol": subprotocol,
    "cut-client": cut_client,
    "cut": ended("!cut"),
    "cut-reset": ended("!reset"),
    "cut-half": ended("!half"),
}

# It sends 1000-1003, 1007-1014 and 3000-4999, and raises for all others.
for number in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000):
    cases[f"close-{number}"] = closing(number, False)
    cases[f"close-server-{number}"] = closing(number, True)

# The last, as there is no server after it.
cases["cut-killed"] = ended("!die")


async def main():
    for name, run in cases.items():
        try:
            ok, got = await asyncio.wait_for(run(name), 20)
        except Exception as error:
            ok, got = False, repr(error)
        print(json.dumps({"case": name, "ok": ok, "got": got}), flush=True)


def end_with_the_input():
    """Who started it is gone."""
    os.read(0, 1)
    os._exit(1)


threading.Thread(target=end_with_the_input, daemon=True).start()
asyncio.run(main())
