"""A WebSocket backend by python-websockets.

It sends back what it gets, but for texts that begin with "!": those are
commands. The last segment of a path is the name of the case; what is seen of
each goes to standard output, a line of JSON each. It ends when its standard
input does.
"""

import asyncio
import json
import os
import signal
import socket
import struct

import websockets

clients = set()


def report(**line):
    print(json.dumps(line), flush=True)


async def close(ws, code, *reason):
    # It sends 1000-1003, 1007-1014 and 3000-4999, and raises for all others.
    await ws.close(int(code), " ".join(reason))


async def ping(ws):
    payload = "from the server, ü"
    # Only a pong with that payload, or with that of a later ping, ends the wait.
    await (await ws.ping(payload))
    report(case=ws.name, pong=payload)
    await ws.send("pong " + payload)


async def fragments(ws):
    await ws.send(["eins, ", "zwölf, ", "🎈"])


async def cut(ws):
    ws.transport.abort()


async def reset(ws):
    linger = struct.pack("ii", 1, 0)  # an RST for the end
    ws.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    ws.transport.abort()


async def half(ws):
    # Half of a frame: 4096 bytes are announced, three come.
    ws.transport.write(bytes([0x82, 0x7E, 0x10, 0, 1, 2, 3]))
    ws.transport.close()


async def die(ws):
    # As if killed by somebody else, but once the other connections have been
    # seen to end, or have had the time to.
    for _ in range(200):
        if len(clients) > 1:
            await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


commands = {f.__name__: f for f in (close, ping, fragments, cut, reset, half, die)}


async def talk(ws):
    async for message in ws:
        if isinstance(message, str) and message.startswith("!"):
            command, *args = message[1:].split(" ")
            await commands[command](ws, *args)
        else:
            await ws.send(message)


async def serve(ws):
    ws.name = ws.path.rsplit("/", 1)[-1]
    clients.add(ws)
    try:
        await talk(ws)
    except websockets.ConnectionClosed:
        pass
    finally:
        await ws.wait_closed()
        clients.discard(ws)
        report(case=ws.name, code=ws.close_code, reason=ws.close_reason)


async def main():
    # max_size is 1 MiB by default. Compression is for clients that offer it.
    async with websockets.serve(
        serve, "127.0.0.1", 0, max_size=32 << 20, subprotocols=["chat.v1"], ping_interval=None
    ) as server:
        print("listening", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, os.read, 0, 1)
        os._exit(0)


asyncio.run(main())
