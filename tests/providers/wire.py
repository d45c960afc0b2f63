"""A model server that sends exactly the bytes it is told, for answers that no proper one gives."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n"


def piece(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def answer(body: bytes) -> bytes:
    return JSON + b"content-length: %d\r\n\r\n%b" % (len(body), body)


@dataclass
class Wire:
    base_url: str
    requests: list[bytes] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client's connection has ended."""
    step: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """With `stepwise`, one release lets one more write go."""


@asynccontextmanager
async def wire(
    writes: Sequence[bytes], *, close: bool = True, stepwise: bool = False
) -> AsyncGenerator[Wire]:
    """Answer every request with these writes; then close, or stay open and silent."""

    serving: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[asyncio.current_task()] = writer
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            server.requests.append(head + await reader.readexactly(length))
            for write in writes:
                if stepwise:
                    await server.step.acquire()
                writer.write(write)
                await writer.drain()
            if not close:
                await reader.read()
        writer.close()
        server.gone.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server = Wire(f"http://127.0.0.1:{port}/v1")
    try:
        yield server
    finally:
        listener.close()
        for writer in serving.values():
            writer.transport.abort()
            for _ in writes:
                server.step.release()
        await asyncio.wait_for(_ended(serving), 5)


async def _ended(serving: Iterable[asyncio.Task[None] | None]) -> None:
    await asyncio.gather(*(task for task in serving if task), return_exceptions=True)
    await asyncio.sleep(0)  # the sockets close one turn after their transports
