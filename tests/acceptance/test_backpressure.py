"""A client that stops reading stops the model server's writing, and takes nothing from anybody else."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.breaking import LAST, STREAM, Upstream, breaking, chunk
from tests.acceptance.calling import ask, session
from tests.acceptance.running import Running, outcomes, running

KIB = 1024
BUFFERS = 16 * KIB * KIB
"""The most that buffers on the way may hold. Nearly all of it is the kernel's, of the two connections: 6 to
11 MiB were seen. aiohttp and uvicorn stop at a few hundred KiB."""
MEMORY = 3 * KIB * KIB
"""By how much the gateway may grow for it: 0.8 MiB was seen, and 7 while every window left a trace."""
POLICY = """
version: 1
name: words
applies_to: {}
detectors: {keywords: {lists: {secret: [bluebird]}}}
rules: [{id: secret, label: keyword.secret, action: redact}]
"""


def _event(text: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return chunk(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())


async def _talk(_: str, asked: Any) -> AsyncIterator[bytes]:
    """Without end, unless the model is `short`."""
    yield STREAM
    while asked["model"] != "short":
        yield _event("all is well, and there is more to come. " * 100)
    yield _event("all is well.", "stop")
    yield chunk(b"data: [DONE]\n\n") + LAST


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with breaking(_talk) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    models = {"*": {"engine": "openai", "base_url": upstream.base_url, "model": "*"}}
    folder = tmp_path_factory.mktemp("pressure")
    with running(folder, models, {"words": POLICY}) as gateway:
        yield gateway


def _stalled_reader(gateway: Running, key: str) -> socket.socket:
    """A call whose client has read the head and reads no more."""
    client = socket.create_connection(("127.0.0.1", gateway.port))
    messages = [{"role": "user", "content": "hi"}]
    body = json.dumps({"model": "long", "stream": True, "messages": messages}).encode()
    client.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    assert client.recv(64).startswith(b"HTTP/1.1 200 ")
    return client


def _until(holds: Callable[[], bool], seconds: float) -> float:
    """How long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + seconds, f"did not come true in {seconds} s"
        time.sleep(0.01)  # what is waited for is in another process
    return time.monotonic() - began


def _until_still(upstream: Upstream) -> int:
    """What it could write when for half a second it could write no more."""
    seen, since = upstream.wrote, time.monotonic()

    def still() -> bool:
        nonlocal seen, since
        if upstream.wrote != seen:
            seen, since = upstream.wrote, time.monotonic()
        return time.monotonic() > since + 0.5

    _until(still, 20)
    return seen


def _resident(gateway: Running) -> int:
    """Bytes of memory that the gateway holds."""
    assert gateway.process
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) * KIB


def test_a_client_that_reads_no_more_stops_the_model_server_and_nobody_else(
    gateway: Running, upstream: Upstream
) -> None:
    key = gateway.key()
    for _ in range(3):
        assert _others_are_served(gateway, key, 20)
    before, wrote, left = _resident(gateway), upstream.wrote, upstream.left
    client = _stalled_reader(gateway, key)
    paused = _until_still(upstream)
    grown = _resident(gateway) - before

    assert _others_are_served(gateway, key, 20)
    others = upstream.wrote - paused
    client.close()
    _until(lambda: upstream.left == left + 1, 1.0)

    assert paused - wrote < BUFFERS
    assert grown < MEMORY
    assert others < 20 * KIB


def test_a_client_that_reads_again_gets_on_where_it_was(
    gateway: Running, upstream: Upstream
) -> None:
    client = _stalled_reader(gateway, gateway.key())
    paused = _until_still(upstream)
    client.settimeout(5)
    read = 0
    while read < BUFFERS:
        read += len(client.recv(KIB * KIB))

    assert upstream.wrote > paused
    client.close()


def test_a_client_that_never_reads_again_is_left_after_a_time(
    tmp_path: Path, upstream: Upstream
) -> None:
    models = {"*": {"engine": "openai", "base_url": upstream.base_url, "model": "*"}}
    limits = {"stalled_seconds": "1s"}
    with running(tmp_path, models, {"words": POLICY}, limits=limits) as gateway:
        left = upstream.left
        client = _stalled_reader(gateway, gateway.key())
        _until(lambda: upstream.left == left + 1, 20)
        client.close()

        _until(lambda: [*outcomes(gateway.records()).values()] == [["abandoned"]], 5)


def _others_are_served(gateway: Running, key: str, calls: int) -> bool:
    async def run() -> bool:
        async with session(calls) as http, asyncio.timeout(10):
            asking = (ask(http, gateway.base_url, key, "short", stream=True) for _ in range(calls))
            return all(one.whole and one.status == 200 for one in await asyncio.gather(*asking))

    return asyncio.run(run())
