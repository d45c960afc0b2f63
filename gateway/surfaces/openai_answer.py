"""What the answers of all OpenAI-like engines have in common, read without trust.

A wrong shape is UpstreamFailed, which names the place and never repeats what came there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import NOTHING, Usage

_REASONS: Final = MappingProxyType(
    {"length": "length", "max_tokens": "length", "content_filter": "content_filter"}
)
"""Why a text ended. Any other word is `stop`, but for these, which are no normal end:"""
_BROKEN: Final = frozenset({"abort", "error"})
_COUNT: Final = re.compile(r"[a-z_]{1,40}_tokens")
_COUNTS: Final = ("prompt_tokens_details", "completion_tokens_details")
_MOST: Final = 100_000
"""The highest index that is believed."""
_LARGEST: Final = sys.float_info.max
_ID: Final = re.compile(r"(?:chatcmpl|cmpl|chat|embd|rerank|gen|req|id)[-_][0-9a-f-]{8,64}")
_FINGERPRINT: Final = re.compile(r"(?:fp_|b[0-9]{1,6}-)[0-9a-f]{4,40}")
"""Engines name answers and builds in hexadecimal; in a wider alphabet a word could hide."""
_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "standard"})


def unexpected(where: str) -> UpstreamFailed:
    """The failure to raise for a wrong shape at this place, dotted."""
    return UpstreamFailed(f"The model server's answer is not as expected at `{where}`.")


def mapping(value: Any, where: str) -> dict[str, Any]:
    """The value as an object. Raise UpstreamFailed."""
    if type(value) is not dict:
        raise unexpected(where)
    return cast("dict[str, Any]", value)


def listed(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The list of objects at `name`. Raise UpstreamFailed, also where the body is an error's."""
    if body.get("error") is not None:
        raise unexpected("error")
    items = body.get(name)
    if type(items) is not list:
        raise unexpected(name)
    return [mapping(item, name) for item in cast("list[Any]", items)]


def index(value: Any, position: int) -> int:
    """A place from 0 on; where the engine left it out, the position at which it stands."""
    if value is None:
        return position
    found = count(value, "index")
    if found > _MOST:
        raise unexpected("index")
    return found


def count(value: Any, where: str) -> int:
    """A number of tokens; some servers write it as a string, or leave one out."""
    if value is None:
        return 0
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if not is_count(value):
        raise unexpected(where)
    return cast("int", value)


def is_count(value: Any) -> bool:
    """Whether it is an integer that JSON carries exactly; true is not 1."""
    return type(value) is int and 0 <= value < 2**53


def finite(value: Any, where: str) -> float:
    """A number that JSON can write again. Raise UpstreamFailed."""
    if type(value) not in (int, float) or not -_LARGEST <= value <= _LARGEST:
        raise unexpected(where)
    return float(value)


def reason(value: Any) -> str | None:
    """Why a text ended; None where it goes on. Raise UpstreamBroken where it was abandoned."""
    if value is None or value == "":
        return None
    if type(value) is not str:
        raise unexpected("finish_reason")
    if value in _BROKEN:
        raise UpstreamBroken
    return _REASONS.get(value, "stop")


def usage(body: Mapping[str, Any]) -> Usage | None:
    """What the engine counted, with its sub-counts; None where it did not tell.

    An engine that tells the total alone read that many tokens and wrote none.
    """
    told = body.get("usage")
    if told is None:
        return None
    counts = mapping(told, "usage")
    detail = {
        name: {key: item for key, item in inner.items() if _COUNT.fullmatch(key) and is_count(item)}
        for name in _COUNTS
        if type(inner := cast("dict[str, Any]", counts.get(name))) is dict
    }
    read = "prompt_tokens" if counts.get("prompt_tokens") is not None else "total_tokens"
    return Usage(
        count(counts.get(read), f"usage.{read}"),
        count(counts.get("completion_tokens"), "usage.completion_tokens"),
        detail or NOTHING,
    )


def envelope(body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply's own values, those that are typed and too narrow for a word."""
    kept: dict[str, Any] = {}
    for name, pattern in (("id", _ID), ("system_fingerprint", _FINGERPRINT)):
        value = body.get(name)
        if type(value) is str and pattern.fullmatch(value):
            kept[name] = value
    if is_count(body.get("created")):
        kept["created"] = body["created"]
    tier = body.get("service_tier")
    if type(tier) is str and tier in _TIERS:
        kept["service_tier"] = tier
    return kept
