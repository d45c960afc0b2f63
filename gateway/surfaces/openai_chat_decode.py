"""Reads a model server's chat completions, whole or as events, into Chunks.

Nothing is trusted: known fields are taken when their shape is right, a wrong shape is
UpstreamFailed without a word of what came, and unknown fields are dropped, for they could carry
text that nobody looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

from gateway.core.errors import UpstreamBroken
from gateway.core.model import Chunk, Finished, Kind, Opened, Part, Text, ToolOpened
from gateway.surfaces.census import ID
from gateway.surfaces.openai_answer import envelope, listed, mapping, unexpected, usage
from gateway.surfaces.openai_answer import index as index_of
from gateway.surfaces.openai_chat_calls import Calls, Delta

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
_UNGUARDED: Final = ("function_call", "audio")


def whole(body: Mapping[str, Any]) -> Chunk:
    """A whole reply: for each choice its opening, texts, tool calls and end; then the usage."""
    parts: list[Part] = []
    for position, choice in enumerate(_choices(body)):
        index = index_of(choice.get("index"), position)
        message = mapping(choice.get("message"), "choices.message")
        parts.append(Opened(index))
        _spoken(parts, index, message)
        reason = _reason(choice.get("finish_reason"))
        parts.append(Finished(index, reason or "stop"))
    if counted := usage(body):
        parts.append(counted)
    return Chunk(tuple(parts), envelope(body))


def event(event: Mapping[str, Any], calls: dict[int, Calls] | None = None) -> Chunk:
    """One event of a stream: what it adds to each choice, in the order it says so.

    `calls` are those of each choice, as the events before told them.
    """
    calls = {} if calls is None else calls
    parts: list[Part] = []
    for position, choice in enumerate(_choices(event)):
        index = index_of(choice.get("index"), position)
        delta = choice.get("delta")
        if delta is not None:
            delta = mapping(delta, "choices.delta")
            if role := delta.get("role"):
                parts.append(Opened(index, _known_role(role)))
            _spoken(parts, index, delta, calls)
        said = choice.get("finish_reason")
        if said is not None and (reason := _reason(said)) is not None:
            parts.append(Finished(index, reason))
    if counted := usage(event):
        parts.append(counted)
    return Chunk(tuple(parts), envelope(event))


def _choices(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    if body.get("choices") is None and body.get("usage") is not None and not body.get("error"):
        return []
    return listed(body, "choices")


def _spoken(
    parts: list[Part],
    choice: int,
    message: Mapping[str, Any],
    calls: dict[int, Calls] | None = None,
) -> None:
    """The texts and tool calls of a message or of a delta."""
    text = message.get("content")
    if len(message) == 1 and type(text) is str:
        # Nearly every event of a stream says this and no more.
        if text:
            parts.append(Text(choice, "content", Kind.TEXT, text))
        return
    _texts(parts, choice, message)
    if told := message.get("tool_calls"):
        known = None if calls is None else calls.setdefault(choice, Calls())
        _tool_calls(parts, choice, told, known)


def _texts(parts: list[Part], choice: int, message: Mapping[str, Any]) -> None:
    for slot, kind in SLOTS:
        text = message.get(slot)
        if text:
            if type(text) is not str:
                raise unexpected(slot)
            parts.append(Text(choice, slot, kind, text))
    for name in _UNGUARDED:
        if message.get(name):
            raise unexpected(name)


def _tool_calls(parts: list[Part], choice: int, calls: Any, known: Calls | None) -> None:
    """The entries of a delta, by what is `known`; of a message, of which each is a call, by position."""
    if type(calls) is not list:
        raise unexpected("tool_calls")
    entries = cast("list[Any]", calls)
    for position, entry in enumerate(entries):
        call = mapping(entry, "tool_calls")
        if call.get("type") not in (None, "", "function"):
            raise unexpected("tool_calls.type")
        function = mapping(call.get("function") or {}, "tool_calls.function")
        call_id, name = _call_id(call.get("id")), _name(function.get("name"))
        arguments = _arguments(function.get("arguments"))
        number = position
        opens = bool(call_id or name)
        if known is not None:
            index = None if call.get("index") is None else index_of(call["index"], position)
            alone = len(entries) == 1
            number, name = known.place(
                Delta(index, position, alone, call_id, name, argues=bool(arguments))
            )
        if opens:
            # An id may be missing: it is made when the reply is written.
            parts.append(ToolOpened(choice, number, call_id))
        if name:
            parts.append(Text(choice, f"tool_calls.{number}.name", Kind.TOOL_NAME, name))
        if arguments:
            slot = f"tool_calls.{number}.arguments"
            parts.append(Text(choice, slot, Kind.TOOL_ARGUMENTS, arguments))


def _name(value: Any) -> str:
    if not value:
        return ""
    if type(value) is not str:
        raise unexpected("tool_calls.function.name")
    return value


def _arguments(value: Any) -> str:
    """As JSON text; some engines send the object itself."""
    if value is None:
        return ""
    if type(value) is dict:
        return orjson.dumps(value).decode()
    if type(value) is not str:
        raise unexpected("tool_calls.function.arguments")
    return value


def _call_id(value: Any) -> str:
    """The id if it is one; else, since it could be prose, a hash in its place."""
    if value is None or value == "":
        return ""
    if type(value) is not str:
        raise unexpected("tool_calls.id")
    if ID.fullmatch(value):
        return value
    return f"call_{hashlib.sha256(value.encode()).hexdigest()[:24]}"


def _reason(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if type(value) is not str:
        raise unexpected("finish_reason")
    if value in _BROKEN:
        raise UpstreamBroken
    return _REASONS.get(value, "stop")


def _known_role(value: Any) -> str:
    return value if type(value) is str and value in _ROLES else "assistant"
