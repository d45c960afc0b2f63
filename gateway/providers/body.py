"""An HTTP answer's body, read as it comes and under clocks. Its errors never quote it.

aiohttp's own read timeout is not used: it is dropped when a body stops being HTTP, and the reader
then waits for ever (seen with 3.14.5). Silence counts only while somebody waits for the server.
"""

from __future__ import annotations

import asyncio
import math

import aiohttp
from aiohttp.http import HttpProcessingError

from gateway.core.errors import UpstreamBroken, UpstreamError, UpstreamFailed, UpstreamTimeout
from gateway.providers.target import Timeouts

MOST_AT_ONCE = 32 << 10
"""Bytes given to one reader of a stream before others have their turn: a server that sends faster than
is looked would keep them waiting, and a client's leaving unseen, for as long as a whole buffer takes."""
BROKEN = (aiohttp.ClientError, HttpProcessingError, OSError)
"""What aiohttp raises for a model server's faults; its timeouts are OSError too."""


def translated(error: Exception, *, began: bool) -> UpstreamError:
    """The fault in Wardgate's words. Raise it outside the `except`: aiohttp's may quote text."""
    if isinstance(error, TimeoutError):
        return UpstreamTimeout()
    if began:
        return UpstreamBroken()
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamFailed("The model server cannot be reached.")
    return UpstreamFailed()


class Body:
    """Reads one response. `close` it whatever happened; `ends_at` is in the loop's time."""

    __slots__ = (
        "_content",
        "_due",
        "_ends_at",
        "_limit",
        "_loop",
        "_pace",
        "_response",
        "_times",
        "_watch",
    )

    def __init__(
        self, response: aiohttp.ClientResponse, timeouts: Timeouts, ends_at: float
    ) -> None:
        self._response = response
        self._content = response.content
        self._times = timeouts
        self._ends_at = ends_at
        self._loop = asyncio.get_running_loop()
        self._limit = timeouts.first_byte
        self._due = math.inf
        self._pace = min(timeouts.first_byte, timeouts.between)
        self._watch = self._loop.call_at(min(self._loop.time() + self._pace, ends_at), self._look)

    def close(self) -> None:
        """Free the connection when the body is at its end, else cut it, so that the model stops."""
        self._watch.cancel()
        self._response.close()

    async def read(self, *, began: bool = False, most: int = -1) -> bytes:
        """What has arrived, `most` bytes of it; empty at the end alone.

        `began`: events have been read before.
        """
        self._due = min(self._loop.time() + self._limit, self._ends_at)
        try:
            data = await (self._content.readany() if most < 0 else self._content.read(most))
        except BROKEN as error:
            failure = translated(error, began=began)
        else:
            self._due = math.inf
            self._limit = self._times.between
            if len(data) == most:
                await asyncio.sleep(0)
            return data
        raise failure

    async def whole(self, cap: int) -> bytes:
        """Raise UpstreamFailed past `cap` bytes, when said in the head before reading any."""
        size = 0
        pieces: list[bytes] = []
        while max(size, self._response.content_length or 0) <= cap:
            piece = await self.read()
            if not piece:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
        raise UpstreamFailed("The model server's answer is larger than this gateway reads.")

    async def ended_within(self, seconds: float) -> bool:
        """Whether the body ends now; what comes instead of its end is thrown away."""
        if not self._content.at_eof():
            self._limit = seconds
            self._watch.cancel()
            self._watch = self._loop.call_later(seconds, self._look)
            try:
                await self.read()
            except UpstreamError:
                return False
        return self._content.at_eof()

    def _look(self) -> None:
        """One timer that moves itself on costs a read nothing but a look at the clock."""
        if self._content.is_eof():
            return  # all has arrived; the reader may take its time
        now = self._loop.time()
        # `_due` moves without moving this timer, so it looks as often as the shorter limit.
        if now >= min(self._due, self._ends_at):
            self._content.set_exception(TimeoutError())
            return
        self._watch = self._loop.call_at(
            min(self._due, self._ends_at, now + self._pace), self._look
        )
