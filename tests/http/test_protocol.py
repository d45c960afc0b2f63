"""A request's head is bounded, whatever its body, and so is each head of a connection."""

from __future__ import annotations

import asyncio

import pytest

from tests.http.edge import CHAT, Edge, inference

LIMIT = 64 * 1024


async def answered(edge: Edge, *pieces: bytes) -> bytes:
    """What comes back on a connection that sends these pieces one after another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    try:
        reading = asyncio.get_running_loop().create_task(reader.readuntil(b"\r\n\r\n"))
        for piece in pieces:
            if not reading.done():
                writer.write(piece)
                await asyncio.wait({reading}, timeout=0.02)
        async with asyncio.timeout(5):
            return await reading
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    "line", [b"x-%d: " + b"v" * 1000 + b"\r\n", b"x-%d: v\r\n"], ids=["long", "short"]
)
async def test_headers_that_never_end_are_refused(line: bytes) -> None:
    count = 2 * LIMIT // len(line)
    lines = b"".join(line % number for number in range(count))
    pieces = [lines[at : at + 16_000] for at in range(0, len(lines), 16_000)]
    async with inference() as edge:
        answer = await answered(edge, b"GET /healthz HTTP/1.1\r\nhost: x\r\n", *pieces)

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_head_within_the_limit_is_served() -> None:
    async with inference() as edge:
        headers = {f"x-{number}": "v" * 1000 for number in range(20)}
        response = await edge.client.get("/healthz", headers=headers)

    assert response.status_code == 200


async def test_a_body_larger_than_a_head_may_be_is_served() -> None:
    async with inference() as edge:
        for _ in range(3):
            assert (await edge.chat("x" * (4 * LIMIT))).status_code == 200


async def test_many_requests_on_one_connection_each_have_a_head_of_their_own() -> None:
    async with inference() as edge:
        headers = {"x-long": "v" * 30_000}
        statuses = {
            (await edge.client.get("/healthz", headers=headers)).status_code for _ in range(6)
        }

    assert statuses == {200}


async def test_a_refused_head_calls_nothing() -> None:
    start = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-a: ".encode()
    async with inference() as edge:
        await answered(edge, start, *[b"v" * 16_000] * 6)

    assert edge.world.kinds == []
