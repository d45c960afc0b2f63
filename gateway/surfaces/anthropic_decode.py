"""Reads what a model server says in the Messages dialect into Chunks: whole replies and their pieces.

Nothing is trusted: known fields are taken when their shape is right, a wrong shape or a block that
nobody can look at is UpstreamFailed without a word of what came, and unknown fields are dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

from gateway.core.errors import UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Part, Text, ToolOpened, Usage
from gateway.surfaces.census import ID

REASONS: Final = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)
"""Why an answer ended, in core's words. Any other word is `stop`."""
TEXTS: Final = MappingProxyType(
    {"text": ("content", Kind.TEXT), "thinking": ("reasoning_content", Kind.REASONING)}
)
"""Blocks of text, by type, and the slot that their text goes to. The field that holds it, in the block
and in its deltas, has the type's own name."""


def whole(body: Mapping[str, Any]) -> Chunk:
    """A whole reply: its opening, its blocks in order, its end and its usage."""
    if body.get("type") == "error" or body.get("error") is not None:
        raise unexpected("error")
    content = body.get("content")
    if type(content) is not list:
        raise unexpected("content")
    parts: list[Part] = [Opened(0)]
    tools = 0
    for item in cast("list[Any]", content):
        block = mapping(item, "content")
        if block.get("type") == "tool_use":
            parts += called(block, tools)
            parts.append(arguments(tools, given(block) or "{}"))
            tools += 1
        else:
            parts += said(block)
    parts.append(Finished(0, reason(body.get("stop_reason")) or "stop"))
    if body.get("usage") is not None:
        parts.append(usage(mapping(body["usage"], "usage")))
    return Chunk(tuple(parts))


def counted(body: Mapping[str, Any]) -> Chunk:
    """The answer to a count of tokens: an empty reply whose prompt had so many."""
    told = body.get("input_tokens")
    if told is None or body.get("error") is not None:
        raise unexpected("input_tokens")
    return Chunk((Opened(0), Finished(0, "stop"), Usage(_count(told, "input_tokens"), 0)))


def said(block: Mapping[str, Any]) -> list[Part]:
    """What a block of text says. Raise UpstreamFailed for a block that nobody can look at."""
    sort = block.get("type")
    if type(sort) is not str or sort not in TEXTS:
        raise unexpected("content.type")
    slot, kind = TEXTS[sort]
    text = string(block.get(sort), f"content.{sort}")
    return [Text(0, slot, kind, text)] if text else []


def called(block: Mapping[str, Any], tool: int) -> list[Part]:
    """The opening of tool call number `tool`, and its name."""
    name = string(block.get("name"), "content.name")
    if not name:
        raise unexpected("content.name")
    return [
        ToolOpened(0, tool, _call_id(block.get("id"))),
        Text(0, f"tool_calls.{tool}.name", Kind.TOOL_NAME, name),
    ]


def given(block: Mapping[str, Any]) -> str:
    """A tool call's input as its block gives it, as JSON; empty where it gives none."""
    value = block.get("input")
    return orjson.dumps(mapping(value, "content.input")).decode() if value else ""


def arguments(tool: int, text: str) -> Text:
    return Text(0, f"tool_calls.{tool}.arguments", Kind.TOOL_ARGUMENTS, text)


def reason(value: Any) -> str | None:
    """Why an answer ended, in core's words; the server's own word goes no further."""
    if value is None or value == "":
        return None
    return REASONS.get(string(value, "stop_reason"), "stop")


def usage(told: Mapping[str, Any]) -> Usage:
    """The counts. The prompt is all of it: this dialect counts what a cache read or made apart."""
    prompt, made, read, completion = (
        _count(told.get(name), f"usage.{name}")
        for name in (
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "output_tokens",
        )
    )
    detail: dict[str, dict[str, int]] = {}
    cached = {"cached_tokens": read, "cache_creation_tokens": made}
    if any(cached.values()):
        detail["prompt_tokens_details"] = {name: count for name, count in cached.items() if count}
    outputs = told.get("output_tokens_details")
    if type(outputs) is dict:
        thought = cast("dict[str, Any]", outputs).get("thinking_tokens")
        if thought is not None:
            thoughts = _count(thought, "usage.output_tokens_details")
            detail["completion_tokens_details"] = {"reasoning_tokens": thoughts}
    return Usage(prompt + made + read, completion, detail)


def mapping(value: Any, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise unexpected(where)
    return cast("dict[str, Any]", value)


def string(value: Any, where: str) -> str:
    """A string; a missing one is empty."""
    if value is None:
        return ""
    if type(value) is not str:
        raise unexpected(where)
    return value


def unexpected(where: str) -> UpstreamFailed:
    return UpstreamFailed(f"The model server's answer is not as expected at `{where}`.")


def _call_id(value: Any) -> str:
    """The id if it is one; else, since it could be prose, a hash in its place."""
    told = string(value, "content.id")
    if not told or ID.fullmatch(told):
        return told
    return f"toolu_{hashlib.sha256(told.encode()).hexdigest()[:24]}"


def _count(value: Any, where: str) -> int:
    """A number of tokens; one that is left out is none."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < 2**53:
        raise unexpected(where)
    return value
