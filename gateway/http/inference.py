"""The one handler of every surface: body in, relay, chunks out. It decides nothing and looks at no text.

A client that leaves cancels the relay, and so the model's work, streaming or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gateway.core.errors import OverLimit, UpstreamBroken, UpstreamError, WardgateError
from gateway.core.model import Call, Chunk
from gateway.core.ports import JudgingSurface, ModelSurface, StreamWriter, Surface
from gateway.http.bodies import header, read_body
from gateway.http.errors import answer_to
from gateway.services.ids import new_id
from gateway.services.relay import Progress, Relay, Request, Waiting

_LOG = logging.getLogger("wardgate.http")
_WAITING = b": a person is looking at this answer\n\n"
_JSON = (b"content-type", b"application/json")
_EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Inference:
    """An ASGI endpoint for one surface. `guarded` is what the inventory of routes asks for."""

    relay: Relay
    surface: Surface
    body_bytes: int
    body_seconds: float

    @property
    def guarded(self) -> bool:
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answering(self.surface, Progress(new_id("call")), send)
        try:
            body = await read_body(scope, receive, self.body_bytes, self.body_seconds)
        except ClientDisconnect:
            return
        except WardgateError as error:
            await answer.refuse(error)
            return
        request = Request(api_key(scope), self.surface.name, body)
        loop = asyncio.get_running_loop()
        work = loop.create_task(answer.run(self.relay, request))
        gone = loop.create_task(_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not work.done():
                work.cancel()
            await asyncio.wait({work})
        if not work.cancelled() and (error := work.exception()):
            raise error


def _event(writer: StreamWriter, item: Chunk | Waiting) -> bytes:
    return _WAITING if isinstance(item, Waiting) else writer.event(item)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def api_key(scope: Scope) -> str | None:
    """The request's key, as OpenAI's clients send it (a bearer token) or Anthropic's (`x-api-key`)."""
    scheme, _, key = (header(scope, b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return header(scope, b"x-api-key") or None


@dataclass(slots=True)
class Answering:
    """One answer on its way out: whole or as a stream, or an error in the surface's own shape."""

    surface: Surface
    progress: Progress
    send: Send
    started: bool = False
    _writer: StreamWriter | None = None

    async def run(self, relay: Relay, request: Request) -> None:
        """Send what the relay gives. Errors it raises become answers; anything else is a 500."""
        try:
            if self.surface.asks_model:
                async with aclosing(relay.relay(request, self.progress)) as items:
                    await self._answer(cast("ModelSurface", self.surface), items)
            else:
                judgement = await relay.judge(request, self.progress)
                judging = cast("JudgingSurface", self.surface)
                await self._whole(judging.judged(self._call, judgement))
        except WardgateError as error:
            await self.refuse(error)
        except Exception as error:  # noqa: BLE001 - whatever broke, the client gets an answer
            # Only the sort of error: its message and its frames could hold text.
            _LOG.error("a call failed: %s", type(error).__name__)
            await self.refuse(WardgateError())

    async def _answer(
        self, surface: ModelSurface, items: AsyncGenerator[Chunk | Waiting, None]
    ) -> None:
        first = await anext(items)
        call = self._call
        if not call.stream:
            chunks = [first] if isinstance(first, Chunk) else []
            chunks.extend([item async for item in items if isinstance(item, Chunk)])
            await self._whole(surface.whole(call, chunks))
            return
        writer = self._writer = surface.writer(call)
        await self._start(200, _EVENTS, (b"cache-control", b"no-cache"))
        await self._more(_event(writer, first))
        async for item in items:
            await self._more(_event(writer, item))
        comment = f"x-wardgate-action: {self.progress.action.word}"
        if self.progress.review:
            comment += f"\n: x-wardgate-review: {self.progress.review}"
        await self._end(writer.done(comment))

    async def _whole(self, body: bytes) -> None:
        await self._start(200, _JSON, (b"content-length", str(len(body)).encode()))
        await self._end(body)

    @property
    def _call(self) -> Call:
        call = self.progress.call
        assert call is not None, "a relay that answers has parsed its call"
        return call

    async def refuse(self, error: WardgateError) -> None:
        """The error as an answer; once a stream runs, as its last event and never a bare end."""
        answer = answer_to(error)
        if self.started:
            if self._writer is None:
                return  # a whole answer is sent at once: there is nothing that could still be said
            cut = UpstreamBroken() if type(error) is UpstreamError else error
            await self._end(
                self._writer.error(kind=answer.kind, code=cut.code, message=cut.message)
            )
            return
        body = self.surface.error(
            status=answer.status,
            kind=answer.kind,
            code=error.code,
            message=error.message,
            path=getattr(error, "path", None),
        )
        extra = [(b"content-length", str(len(body)).encode())]
        if isinstance(error, OverLimit):
            extra.append((b"retry-after", str(error.retry_after).encode()))
        elif answer.status == 503:
            extra.append((b"retry-after", b"1"))
        await self._start(answer.status, _JSON, *extra)
        await self._end(body)

    async def _start(self, status: int, *headers: tuple[bytes, bytes]) -> None:
        progress = self.progress
        told = [
            (b"x-wardgate-call", progress.id.encode()),
            (b"x-wardgate-action", progress.action.word.encode()),
        ]
        if progress.policy:
            told.append((b"x-wardgate-policy", progress.policy.encode("latin-1", "replace")))
        if progress.review:
            told.append((b"x-wardgate-review", progress.review.encode()))
        self.started = True
        await self.send(
            {"type": "http.response.start", "status": status, "headers": [*headers, *told]}
        )

    async def _more(self, body: bytes) -> None:
        if body:
            await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def _end(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
