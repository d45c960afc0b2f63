"""Every dialect there is, as fuzzing needs them: what clients say, what engines answer, and canaries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, cast

import orjson
from hypothesis import strategies as st

from gateway.core.model import (
    Action,
    Call,
    Chunk,
    Finding,
    Finished,
    Form,
    Kind,
    Opened,
    Part,
    Path,
    Rank,
    Text,
    ToolOpened,
    Usage,
    Vector,
)
from gateway.core.policy import Judged, Judgement, Ruling
from gateway.core.ports import Codec, Surface
from gateway.core.redact import Replace
from gateway.surfaces.dialects import dialects
from tests.surfaces.from_census import JSON, Spoken, free_prose
from tests.surfaces.placing import minimal

_DIALECTS = dialects()
SURFACES: Mapping[str, Surface] = dict(sorted(_DIALECTS.surfaces.items()))
NAMES = tuple(SURFACES)
CODECS: tuple[tuple[str, str, Codec], ...] = tuple(
    (engine, surface, codec)
    for engine, by_surface in sorted(_DIALECTS.codecs.items())
    for surface, codec in sorted(by_surface.items())
)
"""Engine, surface, and what carries the one to the other."""


def spoken(name: str) -> Spoken:
    """The surface, of which its census is known."""
    return cast("Spoken", SURFACES[name])


def codecs(name: str) -> list[Codec]:
    """Each codec that carries calls of this surface, once."""
    return list({id(codec): codec for _, surface, codec in CODECS if surface == name}.values())


ONCE: tuple[tuple[str, str, Codec], ...] = tuple({id(one[2]): one for one in CODECS}.values())
"""The same, each codec once."""


def streams(name: str) -> bool:
    """Whether the surface's calls can be streams."""
    return "stream" in spoken(name).census.fields


def smallest(name: str) -> Call:
    """The smallest call of this surface."""
    body = {"text": "hello"} if name == "wardgate.guard" else minimal(spoken(name).census)
    return SURFACES[name].parse("call_1", orjson.dumps(body))


CANARY = "zqcanary"
"""Nothing but a canary has this in it."""
_CANARIES = st.integers(0, 10**6).map(lambda number: f"{CANARY}{number}")


def canaries(pattern: re.Pattern[str] | None) -> st.SearchStrategy[str]:
    """Words that all have a canary in them, where the pattern lets one stand."""
    if pattern is None:
        around = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
        return st.builds(lambda a, bird, b: f"{a}{bird}{b}", around, _CANARIES, around)
    return _CANARIES if pattern.fullmatch(f"{CANARY}7") else free_prose(pattern)


def marked(call: Call) -> dict[Path, str]:
    """For each Field a text that has nothing of its own in it."""
    return {
        part.path: "{}" if part.form is not Form.PLAIN else "mark"
        for passage in call.passages
        for part in passage.fields
    }


# -- what engines say, as the relay hands it on


_COUNT = st.integers(0, 10**6)
_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_REASONS = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
_FINITE = st.floats(-1e3, 1e3, width=32)
_SLOTS = (("content", Kind.TEXT), ("reasoning_content", Kind.REASONING), ("refusal", Kind.REFUSAL))


def inputs(call: Call) -> int:
    """How many texts a call wants a vector or a rank for."""
    asked = call.body["documents" if "documents" in call.body else "input"]
    return 1 if isinstance(asked, str) else len(asked)


@st.composite
def chunks(draw: st.DrawFn, call: Call) -> list[Chunk]:
    """A reply to the call, cut anywhere, in the order that engines keep."""
    if "embeddings" in call.surface:
        numbers = st.lists(_FINITE, min_size=1, max_size=4).map(tuple)
        parts: list[Part] = [Vector(index, draw(numbers)) for index in range(inputs(call))]
    elif "rerank" in call.surface:
        parts = [Rank(index, draw(_FINITE)) for index in range(inputs(call))]
    else:
        parts = [part for choice in range(call.choices) for part in draw(_choice(choice, call))]
    parts.append(Usage(draw(_COUNT), draw(_COUNT)))
    cuts = sorted(draw(st.sets(st.integers(0, len(parts)), max_size=4)) | {0, len(parts)})
    return [Chunk(tuple(parts[a:b])) for a, b in pairwise(cuts)]


@st.composite
def _choice(draw: st.DrawFn, choice: int, call: Call) -> list[Part]:
    parts: list[Part] = [Opened(choice)]
    slots = _SLOTS if _calls_tools(call) else _SLOTS[:1]
    for slot, kind in slots:
        parts += [Text(choice, slot, kind, text) for text in draw(st.lists(_WORDS, max_size=2))]
    tools = draw(st.integers(0, 2)) if _calls_tools(call) else 0
    for index in range(tools):
        arguments = draw(_WORDS | st.dictionaries(_WORDS, JSON, max_size=2).map(_written))
        middle = len(arguments) // 2
        slot = f"tool_calls.{index}"
        parts += [
            ToolOpened(choice, index, draw(st.sampled_from(["", "call_1"]))),
            Text(choice, f"{slot}.name", Kind.TOOL_NAME, "look_up"),
            Text(choice, f"{slot}.arguments", Kind.TOOL_ARGUMENTS, arguments[:middle]),
            Text(choice, f"{slot}.arguments", Kind.TOOL_ARGUMENTS, arguments[middle:]),
        ]
    return [*parts, Finished(choice, draw(_REASONS))]


def _written(value: Any) -> str:
    return orjson.dumps(value).decode()


def _calls_tools(call: Call) -> bool:
    return "completions" not in call.surface


@st.composite
def judgements(draw: st.DrawFn, call: Call) -> Judgement:
    """What a policy might decide on the call."""
    action = draw(st.sampled_from(Action))
    judged: list[Judged] = []
    for passage in call.passages:
        start = draw(st.integers(0, len(passage.text)))
        end = draw(st.integers(start, len(passage.text)))
        label = draw(st.sampled_from(["pii.person", "toxicity.threat", "injection", "tool_call"]))
        seen = Finding(label, draw(st.floats(0, 1)), start, end, "scripted", "1")
        rulings = (Ruling("rule", action, seen, Replace()),) if draw(st.booleans()) else ()
        judged.append(Judged(passage, rulings, {"scripted": "scanned"}))
    return Judgement("house@0123456789ab", action, tuple(judged))


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON tree, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.items() if isinstance(value, dict) else value:
            yield from strings(list(item) if isinstance(item, tuple) else item)
