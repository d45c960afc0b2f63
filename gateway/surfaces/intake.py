"""From the bytes of a request to a JSON object of bounded shape. Knows no dialect.

Whatever the bytes are, the only errors are BadRequest's, and none repeats what the client sent.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import Any, cast

import orjson

from gateway.core.errors import MalformedBody, TooLarge

_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large the shape of a request may be. Its size in bytes is the HTTP layer's to bound."""

    depth: int = 64
    """Levels of objects and lists, the body being the first."""
    keys: int = 10_000
    """Names in all objects together."""
    messages: int = 2_000
    parts: int = 256
    """Content parts, or tool calls, of one message."""
    tools: int = 256
    choices: int = 16
    stops: int = 16


def shown(name: str) -> str:
    """A name that a client sent, as an error may repeat it: plain short names, otherwise `?`."""
    return name if _SAFE_NAME.fullmatch(name) else "?"


def load(body: bytes, limits: Limits) -> dict[str, Any]:
    """The body's JSON object. Raise MalformedBody, or TooLarge for too many names."""
    breaks_at: int | None = None
    value: Any = None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        breaks_at = error.pos
    if breaks_at is not None:
        # Raised out here: the error above carries the whole document, so it must not be the context.
        raise MalformedBody(_broken(body, breaks_at))
    if not isinstance(value, dict):
        raise MalformedBody("The body must be a JSON object.")
    tree = cast("dict[str, Any]", value)
    names = _names(tree, limits)
    if body.count(b":") != names and _members(body) != names:
        raise MalformedBody("An object of the body has the same name twice. Send each name once.")
    return tree


def _broken(body: bytes, place: int) -> str:
    """What is wrong with bytes that are no JSON."""
    if not body.strip():
        return "The body is empty; it must be a JSON object."
    if body.startswith(BOM_UTF8):
        return "The body begins with a byte order mark. Send it without one."
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"The body is not UTF-8: it breaks at byte {error.start}."
    return f"The body is not valid JSON: it breaks at character {place}, or nests too deep."


def _members(body: bytes) -> int:
    """How many names valid JSON spells out, repeated ones too: its colons outside of strings."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(unescaped.split(b'"')[::2]).count(b":")


def _names(tree: dict[str, Any], limits: Limits) -> int:
    """How many names all the objects have together."""
    names, depth = measure(tree, limits)
    if depth > limits.depth:
        deep = (key for key in tree if measure(tree[key], limits)[1] >= limits.depth)
        raise MalformedBody(
            f"The body nests deeper than {limits.depth} levels.", path=shown(next(deep))
        )
    if names > limits.keys:
        raise TooLarge(
            f"The body has more than {limits.keys} names in its objects.",
            path=_fullest(tree, limits),
        )
    return names


def _fullest(tree: dict[str, Any], limits: Limits) -> str | None:
    """The top-level field with the most names, unless it is the top level that has too many."""
    if len(tree) > limits.keys:
        return None
    return shown(max(tree, key=lambda key: measure(tree[key], limits)[0]))


def measure(tree: Any, limits: Limits) -> tuple[int, int]:
    """Names in all objects, and levels of nesting; it stops where either is past its limit."""
    names = depth = 0
    level: list[Any] = [tree] if isinstance(tree, dict | list) else []
    while level and depth <= limits.depth and names <= limits.keys:
        depth += 1
        below: list[Any] = []
        for holder in level:
            if type(holder) is dict:
                inside = cast("dict[str, Any]", holder)
                names += len(inside)
                below.extend(item for item in inside.values() if type(item) in (dict, list))
            else:
                below.extend(item for item in holder if type(item) in (dict, list))
        level = below
    return names, depth
