"""Reading a request's body within its limits of size and time. Keeps nothing of what is too large."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from gateway.core.errors import MalformedBody, TooLarge
from gateway.http.errors import BodyTooSlow, UnsupportedEncoding


def header(scope: Scope, name: bytes) -> str | None:
    """A header's value; the last where there are several."""
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value.decode("latin-1")
    return found


async def read_body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes:
    """The whole body, at most `limit` bytes, within `seconds`.

    Raise TooLarge, BodyTooSlow, UnsupportedEncoding.
    """
    if (header(scope, b"content-encoding") or "identity").lower() != "identity":
        raise UnsupportedEncoding
    declared = header(scope, b"content-length")
    if declared is not None and not (declared.isascii() and declared.isdigit()):
        raise MalformedBody
    if declared is not None and int(declared) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit)
    except TimeoutError:
        raise BodyTooSlow from None


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) > 1 else piece


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"A body is at most {limit} bytes here (`limits.body_bytes`); this one is larger."
    )
