"""Durations, sizes and names as people write them in files, for the models of documents.

A number without a unit is refused: `wait: 30` says nothing of seconds.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from gateway.services.validation import UnfitError, kind_of

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]{1,3})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GLOB = re.compile(r"[^\s\[\]]{1,200}")


def seconds(value: Any) -> float:
    """`30s`, `500ms`, `5m`, `2h` or `400d` in seconds, more than zero. Raise UnfitError."""
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _SECONDS or float(match[1]) == 0:
        raise UnfitError(
            f"expected a duration, got {kind_of(value)}.",
            "Write a number above zero and its unit: ms, s, m, h or d, such as `30s`.",
        )
    return float(match[1]) * _SECONDS[match[2]]


def octets(value: Any) -> int:
    """`16MiB`, `512 KiB` or a whole number of bytes, more than zero. Raise UnfitError."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    count = int(float(match[1]) * _BYTES.get(match[2], 0)) if match else 0
    if count < 1:
        raise UnfitError(
            f"expected a size, got {kind_of(value)}.",
            "Write a number of bytes above zero, or one with its unit: KiB, MiB or GiB.",
        )
    return count


def name(value: Any) -> str:
    """A name of ours, safe in records, headers and paths. Raise UnfitError."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise UnfitError(
            f"expected a name, got {kind_of(value)}.",
            "Use 1 to 64 of the characters A-Z a-z 0-9 . _ - and begin with a letter or digit.",
        )
    return value


def glob(value: Any) -> str:
    """A name in which `*` and `?` stand for others. Raise UnfitError."""
    if not isinstance(value, str) or not _GLOB.fullmatch(value):
        raise UnfitError(
            f"expected a name or pattern, got {kind_of(value)}.",
            "Write text without spaces; only `*` and `?` stand for others, not `[…]`.",
        )
    return value


Duration: TypeAlias = Annotated[float, BeforeValidator(seconds)]
"""Seconds, above zero."""
Size: TypeAlias = Annotated[int, BeforeValidator(octets)]
"""Bytes, above zero."""
Name: TypeAlias = Annotated[str, BeforeValidator(name)]
Glob: TypeAlias = Annotated[str, BeforeValidator(glob)]
