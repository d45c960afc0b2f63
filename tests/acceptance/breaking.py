"""A model server on loopback that sends raw pieces as a script says, breaks off or falls silent where it ends.

It counts what it could write and sees when its client leaves.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.rig import free_port

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
"""The end of the HTTP body, which is not the end of the dialect's stream."""
Script = Callable[[str, Any], AsyncIterator[bytes]]
"""By path and body asked: pieces of an answer. Where it ends, the connection does."""


def chunk(data: bytes) -> bytes:
    """A piece of the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class Upstream:
    """What a server on `port` saw, over all its calls."""

    script: Script
    port: int = field(default_factory=free_port)
    asked: int = 0
    wrote: int = 0
    """Bytes that went into its socket's buffer: what its client has not kept from it."""
    left: int = 0
    """Calls whose client went before the script's end."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        transport.set_write_buffer_limits(0)
        sock: socket.socket = writer.get_extra_info("socket")
        # Without it the kernel takes megabytes, and what stops is seen late.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split()[1].decode().removeprefix("/v1")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            asked = json.loads(await reader.readexactly(length))
            self.asked += 1
            saying = asyncio.get_running_loop().create_task(self._say(path, asked, writer))
            leaving = asyncio.get_running_loop().create_task(reader.read())
            await asyncio.wait({saying, leaving}, return_when=asyncio.FIRST_COMPLETED)
            self.left += not saying.done() or saying.exception() is not None
            for one in (saying, leaving):
                one.cancel()
            await asyncio.gather(saying, leaving, return_exceptions=True)
        transport.close()

    async def _say(self, path: str, asked: Any, writer: asyncio.StreamWriter) -> None:
        async for piece in self.script(path, asked):
            writer.write(piece)
            await writer.drain()
            self.wrote += len(piece)


@contextmanager
def breaking(script: Script) -> Iterator[Upstream]:
    """The server, in a thread and a loop of its own."""
    upstream = Upstream(script)
    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(
        asyncio.start_server(upstream.serve, "127.0.0.1", upstream.port)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def end() -> None:
        listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
