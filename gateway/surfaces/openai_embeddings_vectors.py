"""Vectors as engines send them and as clients ask for them: numbers, or base64 of float32s.

Every number is finite and fits a float32, so that either form can be written as the other. What an
engine sent as float32s leaves bit for bit the same. No vector's numbers ever enter an error.
"""

from __future__ import annotations

import binascii
import math
import struct
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Any, Final, cast

from gateway.surfaces.openai_answer import unexpected
from gateway.surfaces.openai_embeddings_census import MOST_DIMENSIONS

_WHERE: Final = "data.embedding"


def decoded(value: Any) -> tuple[float, ...] | bytes:
    """A list of numbers, or base64 of little-endian float32s. Raise UpstreamFailed."""
    if type(value) is list:
        return _numbers(cast("list[Any]", value))
    if type(value) is str:
        return _packed(value)
    raise unexpected(_WHERE)


def as_numbers(values: tuple[float, ...] | bytes) -> tuple[float, ...]:
    if isinstance(values, bytes):
        return struct.unpack(f"<{len(values) // 4}f", values)
    return values


def as_base64(values: tuple[float, ...] | bytes) -> str:
    if not isinstance(values, bytes):
        values = struct.pack(f"<{len(values)}f", *values)
    return b64encode(values).decode()


def _numbers(value: list[Any]) -> tuple[float, ...]:
    if not 0 < len(value) <= MOST_DIMENSIONS or not set(map(type, value)) <= {int, float}:
        raise unexpected(_WHERE)
    packed = b""
    # What no float32 can hold is an OverflowError, what no float can, a struct.error.
    with suppress(OverflowError, struct.error):
        packed = struct.pack(f"<{len(value)}f", *value)
    if not packed or not _all_finite(packed):
        raise unexpected(_WHERE)
    return tuple(map(float, value))


def _packed(value: str) -> bytes:
    packed = b""
    with suppress(binascii.Error, ValueError):
        packed = b64decode(value, validate=True)
    if len(packed) % 4 or not 0 < len(packed) <= 4 * MOST_DIMENSIONS or not _all_finite(packed):
        raise unexpected(_WHERE)
    return packed


def _all_finite(packed: bytes) -> bool:
    """Whether these float32s are numbers all of them; quick, since a reply has a million of them."""
    highest = packed[3::4]
    if 0x7F not in highest and 0xFF not in highest:
        return True  # the exponent of what is not finite has all its bits set
    return all(map(math.isfinite, as_numbers(packed)))
