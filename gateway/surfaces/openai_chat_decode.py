"""Reads a model server's chat completions, whole or as events, into Chunks.

Nothing is trusted: known fields are taken when their shape is right, a wrong shape is
UpstreamFailed without a word of what came, and unknown fields are dropped, for they could carry
text that nobody looked at.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import NOTHING, Chunk, Finished, Kind, Opened, Part, Text, ToolOpened, Usage
from gateway.surfaces.census import ID

SLOTS: Final = (
    ("reasoning_content", Kind.REASONING),
    ("reasoning", Kind.REASONING),
    ("content", Kind.TEXT),
    ("refusal", Kind.REFUSAL),
)
"""A message's own texts, in the order in which a whole reply gives them."""

_REASONS: Final = MappingProxyType(
    {reason: reason for reason in ("stop", "length", "tool_calls", "content_filter")}
    | {"max_tokens": "length", "tool_use": "tool_calls", "function_call": "tool_calls"}
)
"""Why a choice ended. Any other word is `stop`, but for these, which are no normal end:"""
_BROKEN: Final = frozenset({"abort", "error"})
_ROLES: Final = frozenset({"assistant", "system", "developer", "user", "tool"})
_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "standard"})
_COUNT: Final = re.compile(r"[a-z_]{1,40}_tokens")
_COUNTS: Final = ("prompt_tokens_details", "completion_tokens_details")
_UNGUARDED: Final = ("function_call", "audio")
_MOST: Final = 100_000
"""The highest index of a choice or tool call that is believed."""


def whole(body: Mapping[str, Any]) -> Chunk:
    """A whole reply: for each choice its opening, texts, tool calls and end; then the usage."""
    parts: list[Part] = []
    for position, choice in enumerate(_choices(body)):
        index = _index(choice.get("index"), position)
        message = _mapping(choice.get("message"), "choices.message")
        parts.append(Opened(index))
        _spoken(parts, index, message)
        reason = _reason(choice.get("finish_reason"))
        parts.append(Finished(index, reason or "stop"))
    _usage(parts, body)
    return Chunk(tuple(parts), _envelope(body))


def event(event: Mapping[str, Any]) -> Chunk:
    """One event of a stream: what it adds to each choice, in the order it says so."""
    parts: list[Part] = []
    for position, choice in enumerate(_choices(event)):
        index = _index(choice.get("index"), position)
        delta = choice.get("delta")
        if delta is not None:
            delta = _mapping(delta, "choices.delta")
            if role := delta.get("role"):
                parts.append(Opened(index, _known_role(role)))
            _spoken(parts, index, delta)
        said = choice.get("finish_reason")
        if said is not None and (reason := _reason(said)) is not None:
            parts.append(Finished(index, reason))
    if event.get("usage") is not None:
        _usage(parts, event)
    return Chunk(tuple(parts), _envelope(event))


def _choices(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = body.get("choices")
    if type(choices) is not list or body.get("error") is not None:
        if choices is None and body.get("usage") is not None:
            return []
        raise _unexpected("error" if body.get("error") is not None else "choices")
    for choice in cast("list[Any]", choices):
        if type(choice) is not dict:
            raise _unexpected("choices")
    return cast("list[dict[str, Any]]", choices)


def _spoken(parts: list[Part], choice: int, message: Mapping[str, Any]) -> None:
    """The texts and tool calls of a message or of a delta."""
    text = message.get("content")
    if len(message) == 1 and type(text) is str:
        # Nearly every event of a stream says this and no more.
        if text:
            parts.append(Text(choice, "content", Kind.TEXT, text))
        return
    _all_spoken(parts, choice, message)


def _all_spoken(parts: list[Part], choice: int, message: Mapping[str, Any]) -> None:
    for slot, kind in SLOTS:
        text = message.get(slot)
        if text:
            if type(text) is not str:
                raise _unexpected(slot)
            parts.append(Text(choice, slot, kind, text))
    for name in _UNGUARDED:
        if message.get(name):
            raise _unexpected(name)
    if calls := message.get("tool_calls"):
        _tool_calls(parts, choice, calls)


def _tool_calls(parts: list[Part], choice: int, calls: Any) -> None:
    if type(calls) is not list:
        raise _unexpected("tool_calls")
    for position, call in enumerate(cast("list[Any]", calls)):
        _tool_call(parts, choice, position, _mapping(call, "tool_calls"))


def _tool_call(parts: list[Part], choice: int, position: int, call: Mapping[str, Any]) -> None:
    index = _index(call.get("index"), position)
    if call.get("type") not in (None, "", "function"):
        raise _unexpected("tool_calls.type")
    function = _mapping(call.get("function") or {}, "tool_calls.function")
    name, arguments = function.get("name"), function.get("arguments")
    if call.get("id") or name:
        # An id may be missing: it is made when the reply is written.
        parts.append(ToolOpened(choice, index, _call_id(call.get("id"))))
    if name:
        if type(name) is not str:
            raise _unexpected("tool_calls.function.name")
        parts.append(Text(choice, f"tool_calls.{index}.name", Kind.TOOL_NAME, name))
    if arguments:
        if type(arguments) is dict:
            # Some engines send the object itself.
            arguments = orjson.dumps(arguments).decode()
        if type(arguments) is not str:
            raise _unexpected("tool_calls.function.arguments")
        parts.append(Text(choice, f"tool_calls.{index}.arguments", Kind.TOOL_ARGUMENTS, arguments))


def _call_id(value: Any) -> str:
    """The id if it is one; else, since it could be prose, a hash in its place."""
    if value is None or value == "":
        return ""
    if type(value) is not str:
        raise _unexpected("tool_calls.id")
    if ID.fullmatch(value):
        return value
    return f"call_{hashlib.sha256(value.encode()).hexdigest()[:24]}"


def _usage(parts: list[Part], body: Mapping[str, Any]) -> None:
    usage = body.get("usage")
    if usage is None:
        return
    counts = _mapping(usage, "usage")
    detail = {
        name: {
            key: item for key, item in inner.items() if _COUNT.fullmatch(key) and _is_count(item)
        }
        for name in _COUNTS
        if type(inner := cast("dict[str, Any]", counts.get(name))) is dict
    }
    prompt, completion = (
        _count(counts.get(name), f"usage.{name}") for name in ("prompt_tokens", "completion_tokens")
    )
    parts.append(Usage(prompt, completion, detail or NOTHING))


def _envelope(body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply's own values, those that are typed and cannot be prose."""
    envelope: dict[str, Any] = {}
    for name in ("id", "system_fingerprint"):
        value = body.get(name)
        if type(value) is str and ID.fullmatch(value):
            envelope[name] = value
    created = body.get("created")
    if _is_count(created):
        envelope["created"] = created
    tier = body.get("service_tier")
    if type(tier) is str and tier in _TIERS:
        envelope["service_tier"] = tier
    return envelope


def _reason(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if type(value) is not str:
        raise _unexpected("finish_reason")
    if value in _BROKEN:
        raise UpstreamBroken
    return _REASONS.get(value, "stop")


def _known_role(value: Any) -> str:
    return value if type(value) is str and value in _ROLES else "assistant"


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _count(value: Any, where: str) -> int:
    """A number of tokens; some servers write it as a string, or leave one out."""
    if value is None:
        return 0
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if not _is_count(value):
        raise _unexpected(where)
    return cast("int", value)


def _index(value: Any, position: int) -> int:
    if type(value) is int and 0 <= value <= _MOST:
        return value
    if value is None:
        return position
    index = _count(value, "index")
    if index > _MOST:
        raise _unexpected("index")
    return index


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise _unexpected(where)
    return cast("dict[str, Any]", value)


def _unexpected(where: str) -> UpstreamFailed:
    return UpstreamFailed(f"The model server's answer is not as expected at `{where}`.")
