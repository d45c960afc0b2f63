"""A body is read within its limits, and what is too large is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from gateway.core.errors import MalformedBody, TooLarge
from gateway.http.bodies import header, read_body
from gateway.http.errors import BodyTooSlow, UnsupportedEncoding

TIME = 5.0
"""Seconds; more than any of these bodies takes."""


def scope(**headers: str) -> dict[str, Any]:
    return {
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in headers.items()
        ]
    }


class Sender:
    """Sends these pieces, then leaves."""

    def __init__(self, *pieces: bytes, whole: bool = True) -> None:
        last = len(pieces) - 1
        self.read = 0
        self.messages: Iterator[dict[str, Any]] = iter(
            [
                {"type": "http.request", "body": piece, "more_body": not whole or at < last}
                for at, piece in enumerate(pieces)
            ]
        )

    async def __call__(self) -> dict[str, Any]:
        self.read += 1
        return next(self.messages, {"type": "http.disconnect"})


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=8), st.integers(0, 40))
def test_a_body_is_its_pieces_or_too_large(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces)
    reading = read_body(scope(), Sender(*pieces), limit, TIME)
    if len(whole) <= limit:
        assert asyncio.run(reading) == whole
    else:
        with pytest.raises(TooLarge):
            asyncio.run(reading)


async def test_a_declared_length_beyond_the_limit_is_refused_unread() -> None:
    sender = Sender(b"x")

    with pytest.raises(TooLarge, match="body_bytes"):
        await read_body(scope(content_length="11"), sender, 10, TIME)

    assert sender.read == 0


async def test_reading_stops_where_the_limit_is_passed() -> None:
    sender = Sender(*[b"x" * 6] * 100)

    with pytest.raises(TooLarge):
        await read_body(scope(content_length="3"), sender, 10, TIME)

    assert sender.read == 2


@pytest.mark.parametrize("length", ["-1", "x", "", "1e3", "\u00b2", "0x10"])
async def test_a_length_that_is_no_number_is_malformed(length: str) -> None:
    with pytest.raises(MalformedBody):
        await read_body(scope(content_length=length), Sender(b""), 10, TIME)


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
async def test_a_body_as_it_is_may_say_so(encoding: str) -> None:
    assert await read_body(scope(content_encoding=encoding), Sender(b"x"), 10, TIME) == b"x"


@pytest.mark.parametrize("encoding", ["gzip", "identity, gzip", "x"])
async def test_an_encoded_body_is_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedEncoding):
        await read_body(scope(content_encoding=encoding), Sender(b"x"), 10, TIME)


async def test_a_body_that_does_not_come_is_too_slow() -> None:
    async def silence() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    with pytest.raises(BodyTooSlow):
        await read_body(scope(), silence, 10, 0.01)


async def test_a_client_that_leaves_is_no_error_of_ours() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(scope(), Sender(b"x", whole=False), 10, TIME)


def test_the_last_of_several_headers_counts() -> None:
    several = {"headers": [(b"x", b"1"), (b"y", b"2"), (b"x", b"3")]}

    assert header(several, b"x") == "3"
    assert header(several, b"z") is None
