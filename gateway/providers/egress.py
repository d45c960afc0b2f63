"""A way out for libraries that make their own requests: one origin per call, and its answers noted.

Whoever runs such a library opens a call with `only(...)`; without one no request leaves at all. It
follows no redirect, takes nothing compressed, and never looks into a body.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import aiohttp
from yarl import URL


@dataclass(frozen=True, slots=True)
class Outing:
    """One call's way out. `responses` are the HTTP answers it got, in order.

    `max_reply` is the bytes that an answer may announce. The library reads bodies itself, so a
    length that is not announced is bounded by the time of the call alone.
    """

    session: aiohttp.ClientSession
    origin: URL
    max_reply: int
    responses: list[aiohttp.ClientResponse] = field(default_factory=list[aiohttp.ClientResponse])

    def close(self) -> None:
        """Cut what is still coming, at once; nothing to wait for, so cancellation cannot skip it."""
        for response in self.responses:
            response.close()


_outing: ContextVar[Outing | None] = ContextVar("outing", default=None)


@contextmanager
def only(outing: Outing) -> Generator[None]:
    """Requests of the code within go this way. Must not span a `yield` of an async generator."""
    token = _outing.set(outing)
    try:
        yield
    finally:
        _outing.reset(token)


def current_session() -> aiohttp.ClientSession:
    """The session of the call that is running. Raise ClientConnectionError when none is."""
    outing = _outing.get()
    if outing is None:
        raise aiohttp.ClientConnectionError("no guarded call is running")
    return outing.session


def open_session() -> aiohttp.ClientSession:
    """A session that lets out only what an `Outing` allows. Close it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        middlewares=(_guard,),
    )


async def _guard(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    outing = _outing.get()
    if outing is None or request.url.origin() != outing.origin:
        raise aiohttp.ClientConnectionError("not the configured model server")
    request.headers["Accept-Encoding"] = "identity"
    response = await handler(request)
    if (
        300 <= response.status < 400
        or response.headers.get("Content-Encoding", "identity") != "identity"
        or (response.content_length or 0) > outing.max_reply
    ):
        response.close()
        raise aiohttp.ClientConnectionError("not an answer that is read")
    outing.responses.append(response)
    return response
