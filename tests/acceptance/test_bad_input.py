"""Rubbish gets a clear 4xx in the surface's shape; the process is fine and its memory flat."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.policies import WORDS
from tests.acceptance.running import Running, running
from tests.rig import MockUpstream

MEBIBYTE = 1024**2
GOOD: dict[str, Any] = {"model": "mock", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    models = {
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"}
    }
    with running(tmp_path_factory.mktemp("bad"), models, {"words": WORDS}) as gateway:
        yield gateway


def _post(gateway: Running, bodies: list[bytes], **headers: str) -> list[tuple[int, Any]]:
    key = gateway.key()

    async def one(http: aiohttp.ClientSession, body: bytes) -> tuple[int, Any]:
        async with http.post(
            f"{gateway.base_url}/chat/completions",
            data=io.BytesIO(body),
            headers={"Authorization": f"Bearer {key}", **headers},
        ) as answer:
            return answer.status, await answer.json()

    async def run() -> list[tuple[int, Any]]:
        async with aiohttp.ClientSession() as http:
            return [await one(http, body) for body in bodies]

    return asyncio.run(run())


def _body(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


def _nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


RUBBISH: dict[str, bytes] = {
    "empty": b"",
    "not json": b"hello",
    "cut json": b'{"model": "mock", "messages": [',
    "an array": b"[]",
    "nan": b'{"model": "mock", "messages": [], "temperature": NaN}',
    "depth 10000": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "depth 900 where anything may stand": _body(metadata={"a": "b"}).replace(
        b'"b"', b"[" * 900 + b"]" * 900
    ),
    "lone surrogate": b'{"model": "mock", "messages": [{"role": "user", "content": "\\ud800"}]}',
    "not utf-8": b'{"model": "mock", "messages": [{"role": "user", "content": "\xff"}]}',
    "messages a string": _body(messages="hi"),
    "no messages": _body(messages=[]),
    "content a number": _body(messages=[{"role": "user", "content": 7}]),
    "unknown role": _body(messages=[{"role": "root", "content": "hi"}]),
    "n of zero": _body(n=0),
    "n of a thousand": _body(n=1000),
    "n true": _body(n=True),
    "temperature too high": _body(temperature=99),
    "tools a word": _body(tools="all"),
    "raw tokens": _body(logprobs=True),
    "picture": _body(
        messages=[
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}],
            }
        ]
    ),
}
NAMES = ["mock_response", "api_base", "base_url", "api_key", "model_list", "guardrails", "extra"]


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_refused(gateway: Running, mock_upstream: MockUpstream, name: str) -> None:
    [(status, answer)] = _post(gateway, [RUBBISH[name]])

    assert 400 <= status < 500
    assert answer["error"]["message"]
    assert mock_upstream.stats().get("requests", 0) == 0


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_field_is_refused_at_any_depth_by_its_path(
    gateway: Running, mock_upstream: MockUpstream, name: str
) -> None:
    tool = {"type": "function", "function": {"name": "f", name: "x"}}
    message = {"role": "user", "content": [{"type": "text", "text": "hi", name: "x"}]}
    bodies = {
        name: _body(**{name: "x"}),
        f"messages.0.{name}": _body(messages=[{"role": "user", "content": "hi", name: {}}]),
        f"messages.0.content.0.{name}": _body(messages=[message]),
        f"tools.0.function.{name}": _body(tools=[tool]),
        f"stream_options.{name}": _body(stream=True, stream_options={name: True}),
    }

    answers = _post(gateway, list(bodies.values()))

    assert [status for status, _ in answers] == [400] * len(bodies)
    assert [answer["error"]["param"] for _, answer in answers] == list(bodies)
    assert mock_upstream.stats().get("requests", 0) == 0


def test_a_body_of_20_megabytes_is_refused_and_memory_stays_flat(gateway: Running) -> None:
    big = json.dumps({**GOOD, "user": "x" * 20 * MEBIBYTE}).encode()
    bombs = [big, b"[" * 1_000_000, _body(messages=[{"role": "user", "content": "x"}] * 20_000)]
    _post(gateway, bombs)
    before = _memory(gateway)

    answers = _post(gateway, bombs * 5)

    assert {status for status, _ in answers} <= {400, 413}
    assert _memory(gateway) - before < 30 * MEBIBYTE
    assert _post(gateway, [_body()])[0][0] == 200


def test_a_compressed_body_is_refused(gateway: Running) -> None:
    [(status, _)] = _post(gateway, [b"\x1f\x8b"], **{"Content-Encoding": "gzip"})

    assert status == 415


def test_endless_headers_are_refused(gateway: Running) -> None:
    async def flood() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
        try:
            for number in range(4_000):
                writer.write(b"X-%d: %s\r\n" % (number, b"a" * 100))
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 5)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    answer = asyncio.run(flood())

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert gateway.ready()


def _memory(gateway: Running) -> int:
    """Resident bytes of the gateway's process."""
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
