"""Engines `openai` and `anthropic`: any server that speaks a dialect over HTTP, through one shared pool.

It sends what the codec wrote to the configured address and to no other: no redirects, proxies,
cookies, decompression or retries. Upstream text never enters an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import aiohttp
import orjson
from yarl import URL

from gateway.core.errors import UpstreamBroken, UpstreamError, UpstreamFailed
from gateway.core.model import Chunk, GuardedCall
from gateway.core.ports import Codec, EventReader
from gateway.providers.body import BROKEN, MOST_AT_ONCE, Body, translated
from gateway.providers.sse import EventParser, EventTooLargeError
from gateway.providers.target import Target, Timeouts

ANTHROPIC_VERSION = "2023-06-01"
"""The one version of the Messages API there is."""
MAX_REPLY = 16 << 20
"""Bytes that a whole reply may have."""
KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: less than the 5 after which uvicorn (vLLM, SGLang) closes its
own, so that a request is seldom written into a connection that is just closing."""
DONE = b"[DONE]"
"""What ends a stream of OpenAI's dialect."""
DONE_GRACE = 0.1
"""Seconds to wait for the body's end after `[DONE]`, so that the connection can be used again."""


@asynccontextmanager
async def open_pool() -> AsyncGenerator[aiohttp.ClientSession]:
    """The process's one pool; how many calls run at once is for the limits to say."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield session


class OpenAIHttp:
    """A Provider. Closing its generator, or cancelling its task, closes the connection at once.

    `codecs` are by surface: how the server is asked what a client asked there.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        codecs: Mapping[str, Codec],
        target: Target,
        *,
        timeouts: Timeouts | None = None,
        max_reply: int = MAX_REPLY,
    ) -> None:
        self._session = session
        self._ways = {
            name: (codec, URL(target.base_url.rstrip("/") + codec.path))
            for name, codec in codecs.items()
        }
        self._target = target
        self._timeouts = timeouts or Timeouts()
        self._max_reply = max_reply
        self._headers = _headers(target)
        self._first = min(self._timeouts.first_byte, self._timeouts.total)
        # The connection alone is aiohttp's to time; `Body` times the rest.
        self._limits = aiohttp.ClientTimeout(
            connect=self._timeouts.connect, sock_connect=self._timeouts.connect
        )

    async def complete(self, guarded: GuardedCall) -> AsyncGenerator[Chunk, None]:
        """Raise UpstreamFailed, UpstreamTimeout or UpstreamBroken; Unsupported, see Codec."""
        call = guarded.call
        codec, url = self._ways[call.surface]
        sent = orjson.dumps(codec.encode(call, self._target.name_for(call)))
        body = await self._post(url, sent, stream=call.stream)
        try:
            if not call.stream:
                yield codec.decode_whole(_parsed(await body.whole(self._max_reply)), call)
                return
            events = _Events(body, codec.events())
            while (chunk := await events.read()) is not None:
                yield chunk
            await body.ended_within(DONE_GRACE)
        finally:
            body.close()

    async def _post(self, url: URL, sent: bytes, *, stream: bool) -> Body:
        ends_at = asyncio.get_running_loop().time() + self._timeouts.total
        try:
            async with asyncio.timeout(self._first):
                response = await self._session.post(
                    url,
                    data=sent,
                    headers=self._headers,
                    timeout=self._limits,
                    allow_redirects=False,
                )
        except BROKEN as error:
            failure = translated(error, began=False)
        else:
            if (refusal := _refusal(response, stream=stream)) is None:
                return Body(response, self._timeouts, ends_at)
            response.close()
            failure = refusal
        # Raised out here so that no exception with upstream's bytes in it hangs on as context.
        raise failure


class _Events:
    """A stream's chunks: one for all events that arrived together."""

    __slots__ = ("_began", "_body", "_done", "_failure", "_parser", "_reader")

    def __init__(self, body: Body, reader: EventReader) -> None:
        self._body = body
        self._reader = reader
        self._parser = EventParser()
        self._began = False
        self._done = False
        self._failure: UpstreamError | None = None

    async def read(self) -> Chunk | None:
        """The next chunk; None after the terminator."""
        while True:
            if self._failure is not None:
                raise self._failure
            if self._done:
                return None
            data = await self._body.read(began=self._began, most=MOST_AT_ONCE)
            if not data:
                if self._parser.feed(b"\n\n") == [DONE]:
                    return None  # all that is missing is the blank line after it
                raise UpstreamBroken
            chunks = self._decode(data)
            if chunks:
                return chunks[0] if len(chunks) == 1 else _merged(chunks)

    def _decode(self, data: bytes) -> list[Chunk]:
        """What arrived, up to the terminator or the first fault, which the next read raises."""
        chunks: list[Chunk] = []
        try:
            for payload in self._parser.feed(data):
                if payload == DONE:
                    self._done = True
                    break
                chunk = self._reader.read(_event(payload))
                self._began = True
                if chunk.parts:
                    chunks.append(chunk)
                if self._reader.ended:
                    self._done = True
                    break
        except UpstreamError as error:
            self._failure = error
        except EventTooLargeError:
            self._failure = UpstreamFailed("The model server sent an event larger than 1 MiB.")
        return chunks


def _merged(chunks: list[Chunk]) -> Chunk:
    return Chunk(tuple(part for chunk in chunks for part in chunk.parts), chunks[0].envelope)


def _event(payload: bytes) -> dict[str, Any]:
    event = _parsed(payload)
    if event.get("error"):
        raise UpstreamFailed("The model server reported an error in its stream.")
    return event


def _parsed(payload: bytes) -> dict[str, Any]:
    value: Any = None
    # The error's `doc` is the text: it must not become the context of what is raised below.
    with suppress(orjson.JSONDecodeError):
        value = orjson.loads(payload)
    if not isinstance(value, dict):
        raise UpstreamFailed("The model server's answer is not a JSON object.")
    return cast("dict[str, Any]", value)


def _refusal(response: aiohttp.ClientResponse, *, stream: bool) -> UpstreamFailed | None:
    """Why this answer is not read, by its head alone."""
    if response.status != 200:
        return UpstreamFailed(f"The model server answered with status {response.status}.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return UpstreamFailed("The model server compressed its answer although asked not to.")
    if stream and response.content_type != "text/event-stream":
        return UpstreamFailed("The model server did not answer with an event stream.")
    return None


def _headers(target: Target) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "wardgate",
    }
    if target.dialect == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
        if target.api_key is not None:
            headers["x-api-key"] = target.api_key
    elif target.api_key is not None:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return headers
