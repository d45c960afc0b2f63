"""Target: an engine's answer, through each dialect's decoder: a Chunk, or a failed engine."""

from __future__ import annotations

from typing import Any, cast

import orjson

from gateway.core.errors import UpstreamError
from gateway.core.model import Chunk
from gateway.providers.sse import EventParser
from tests.fuzz.seeds import REPLIES, replies
from tests.fuzz.spoken import ONCE, smallest, streams

CALLS = {surface: smallest(surface) for _, surface, _ in ONCE}


def look(data: bytes) -> None:
    """The first byte says which dialect; then come a whole answer or the bytes of a stream."""
    if not data:
        return
    _, surface, codec = ONCE[data[0] % len(ONCE)]
    body, told = data[1:], ""
    try:
        if (answer := _object(body)) is not None:
            assert isinstance(codec.decode_whole(answer, CALLS[surface]), Chunk)
        reader = codec.events() if streams(surface) else None
        for payload in EventParser().feed(body):
            if reader and (event := _object(payload)) is not None:
                assert isinstance(reader.read(event), Chunk)
    except UpstreamError as error:
        told = error.message
    assert told.isascii(), "an error repeats what the engine sent"


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


SEEDS = tuple(
    bytes([place]) + answer
    for place, (_, _, codec) in enumerate(ONCE)
    for answer in (*REPLIES, *replies(codec))
)
