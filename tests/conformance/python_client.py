"""Drives the server with Python's websockets: python_client.py CASE ws://HOST:PORT, prints `ok`."""

import asyncio
import json
import random
import sys

import websockets


def connect(base, **options):
    return websockets.connect(base + "/echo", max_size=None, **options)


def words(size):
    """Text that compresses, but not by more than the server lets it."""
    made = random.Random(7)
    return "".join(made.choice("abcdefghijklmnop") for _ in range(size))


async def echo(base):
    async with connect(base, compression=None) as socket:
        assert socket.extensions == [], socket.extensions
        for message in ["", "hi", "\u00fc\u2028\U0001f985", b"", bytes(range(256)), "x" * 60_000]:
            await socket.send(message)
            assert await socket.recv() == message


async def compressed(base):
    async with connect(base, compression="deflate") as socket:
        assert [extension.name for extension in socket.extensions] == ["permessage-deflate"]
        for message in ["hi", words(50_000), words(50_000).encode(), "", "ab" * 5_000]:
            await socket.send(message)
            assert await socket.recv() == message


async def fragments(base):
    for compression in [None, "deflate"]:
        async with connect(base, compression=compression) as socket:
            await socket.send(["one, ", "", "two, ", "three"])
            assert await socket.recv() == "one, two, three"
            many = words(50_000).encode()
            await socket.send([many[at : at + 1000] for at in range(0, len(many), 1000)])
            assert await socket.recv() == many


async def pings(base):
    async with connect(base) as socket:
        for payload in [b"", b"p", b"x" * 125]:
            await asyncio.wait_for(await socket.ping(payload), 20)
        await socket.pong(b"nobody asked")

        async def parts():
            yield "a"
            await asyncio.wait_for(await socket.ping(), 20)
            yield "b"

        await socket.send(parts())
        assert await socket.recv() == "ab"


async def closes(base):
    for code, reason in [(1000, ""), (1001, "going"), (3000, "own"), (4999, "\u00fc" * 60)]:
        async with connect(base) as socket:
            await socket.close(code, reason)
            assert socket.close_code == code, socket.close_code
    for message, code, reason in [("close 4321", 4321, "as you like"), ("crash", 1011, "internal error")]:
        async with connect(base) as socket:
            await socket.send(message)
            try:
                await socket.recv()
                raise AssertionError("no close")
            except websockets.ConnectionClosed as closed:
                assert (closed.rcvd.code, closed.rcvd.reason) == (code, reason), closed


async def megabyte(base):
    message = words(1 << 20)
    for compression in [None, "deflate"]:
        async with connect(base, compression=compression) as socket:
            await socket.send(message)
            assert await socket.recv() == message
            await socket.send(message.encode())
            assert await socket.recv() == message.encode()


async def too_big(base):
    async with connect(base) as socket:
        try:
            await socket.send(words(3 << 20))
            await socket.recv()
            raise AssertionError("no close")
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1009, closed


async def channel(base):
    url = base + "/socket/websocket?vsn=2.0.0"
    async with websockets.connect(url, subprotocols=["phoenix"]) as socket:
        assert socket.subprotocol == "phoenix"
        await socket.send('["1","1","echo:a","phx_join",{}]')
        assert json.loads(await socket.recv())[4]["status"] == "ok"
        await socket.send('["1","2","echo:a","echo",{"n":[1,"x"]}]')
        assert json.loads(await socket.recv()) == ["1", "2", "echo:a", "phx_reply", {"status": "ok", "response": {"n": [1, "x"]}}]


asyncio.run(asyncio.wait_for(globals()[sys.argv[1]](sys.argv[2]), 80))
print("ok")
