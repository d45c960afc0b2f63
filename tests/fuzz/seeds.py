"""What coverage-guided fuzzing begins with: a rich body and a bare one of each dialect, answers, and its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson

from gateway.core.errors import BadRequest
from gateway.core.model import (
    Chunk,
    Finished,
    Kind,
    Opened,
    Part,
    Rank,
    Text,
    ToolOpened,
    Usage,
    Vector,
)
from gateway.core.ports import Codec, ModelSurface
from gateway.surfaces import census
from tests.fuzz.spoken import NAMES, SURFACES, spoken, streams
from tests.surfaces.from_census import COHERENT

_WORDS = ("text", "look_up", "0", "chat", "data:image/png;base64,AAAA", "AAAA")
"""One of them fits every pattern that there is."""

REPLIES = (
    b'{"error":{"message":"x"}}',
    b"data: {}\n\ndata: [DONE]\n\n",
    b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
)


def bodies(name: str) -> list[dict[str, Any]]:
    """Bodies that the surface takes: with every field and each variant, and with what is required."""
    node, mend = spoken(name).census, COHERENT.get(name, dict[str, Any])
    made = [mend(_value(node, rich=rich, turn=turn)) for rich in (True, False) for turn in range(3)]
    return [body for body in made if _taken(name, body)]


def _taken(name: str, body: dict[str, Any]) -> bool:
    try:
        SURFACES[name].parse("call_1", orjson.dumps(body))
    except BadRequest:
        return False
    return True


def _value(node: census.Node, *, rich: bool, turn: int) -> Any:
    """A value of the node; `turn` says which variant is taken where one must be chosen."""
    match node:
        case census.Object():
            fields = {
                name: child for name, child in node.fields.items() if name in node.required or rich
            }
            made = {name: _value(child, rich=rich, turn=turn) for name, child in fields.items()}
            return {key: value for key, value in made.items() if value is not _NOTHING}
        case census.Items():
            count = max(node.least, min(node.most, 4) if rich else 0)
            made = (_value(node.item, rich=rich, turn=turn + at) for at in range(count))
            return [value for value in made if value is not _NOTHING]
        case census.Keyed():
            return {_word(node.key): _value(node.item, rich=rich, turn=turn)} if rich else {}
        case census.Tagged():
            kept = [v for v in node.variants.items() if not isinstance(v[1], census.Refused)]
            tag, variant = kept[turn % len(kept)]
            return {**_value(variant, rich=rich, turn=turn), node.tag: tag}
        case census.Either():
            first = _value(node.string if turn % 2 else node.other, rich=rich, turn=turn)
            second = _value(node.other if turn % 2 else node.string, rich=rich, turn=turn)
            return second if first is _NOTHING else first
        case _:
            return _leaf(node, turn)


_NOTHING: Any = object()


def _leaf(node: census.Node, turn: int) -> Any:
    match node:
        case census.Text() | census.Token() | census.Blob():
            return _word(node.pattern)
        case census.Free():
            return {"type": "object", "properties": {"a": {"enum": ["b", 1]}}}
        case census.Whole() | census.Number():
            return max(node.low, min(1, node.high))
        case census.Word():
            return node.options[turn % len(node.options)]
        case census.Refused():
            return node.neutral[0] if node.neutral else _NOTHING
        case _:
            return bool(turn % 2)


def _word(pattern: re.Pattern[str] | None) -> str:
    return next(word for word in _WORDS if pattern is None or pattern.fullmatch(word))


def replies(codec: Codec) -> Iterator[bytes]:
    """An answer whole and as a stream, as the surface of the engine's own dialect writes it."""
    name = getattr(getattr(codec, "target", codec), "name", "")
    if name not in SURFACES or not SURFACES[name].asks_model:
        return
    surface = cast("ModelSurface", SURFACES[name])
    call = surface.parse("call_1", orjson.dumps(bodies(name)[-1]))
    chunk = Chunk(_parts(name))
    yield surface.whole(call, [chunk])
    if streams(name):
        writer = surface.writer(call)
        yield writer.event(chunk) + writer.done("x")


def _parts(name: str) -> tuple[Part, ...]:
    if "embeddings" in name:
        return Vector(0, (0.5, -1.0)), Usage(1, 0)
    if "rerank" in name:
        return Rank(0, 0.5), Usage(1, 0)
    said: tuple[Part, ...] = (Opened(0), Text(0, "content", Kind.TEXT, "hello"))
    if "completions" not in name:
        said += (
            Text(0, "reasoning_content", Kind.REASONING, "hm"),
            ToolOpened(0, 0, "call_1"),
            Text(0, "tool_calls.0.name", Kind.TOOL_NAME, "look_up"),
            Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, '{"a":1}'),
        )
    return (*said, Finished(0, "stop"), Usage(1, 2))


def words() -> Iterator[str]:
    """Every name and fixed word of every dialect, once: what a fuzzer would not guess."""
    yield from dict.fromkeys(word for name in NAMES for word in _words(spoken(name).census))


def _words(node: census.Node) -> Iterator[str]:
    match node:
        case census.Object():
            yield from _words_of(node.fields)
        case census.Tagged():
            yield node.tag
            yield from _words_of(node.variants)
        case census.Items() | census.Keyed():
            yield from _words(node.item)
        case census.Either():
            yield from _words(node.string)
            yield from _words(node.other)
        case census.Word():
            yield from node.options
        case _:
            pass


def _words_of(named: Mapping[str, census.Node]) -> Iterator[str]:
    for name, child in named.items():
        yield name
        yield from _words(child)
