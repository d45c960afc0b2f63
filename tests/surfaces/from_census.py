"""Hypothesis strategies made from a census: valid requests, broken ones, and what engines answer."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import orjson
from hypothesis import strategies as st

from gateway.core.model import Path
from gateway.surfaces import census
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat_census import request

ASCII = st.characters(min_codepoint=32, max_codepoint=126)
PROSE = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PROSE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PROSE, inner, max_size=4),
    max_leaves=8,
)


def matching(pattern: re.Pattern[str]) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True, alphabet=ASCII)


def free_prose(pattern: re.Pattern[str] | None) -> st.SearchStrategy[str]:
    """Any words where no pattern binds them."""
    return PROSE if pattern is None else matching(pattern)


Prose = Callable[[re.Pattern[str] | None], st.SearchStrategy[str]]
"""What a client writes where text may stand that this pattern describes."""


def values(node: census.Node, prose: Prose = free_prose) -> st.SearchStrategy[Any]:
    """What a client may send at `node`."""
    match node:
        case census.Text():
            return prose(node.pattern)
        case census.Token() | census.Blob():
            return matching(node.pattern)
        case census.Free():
            return _free(node, prose)
        case census.Flag() | census.Word() | census.Refused():
            return _one_of_few(node)
        case census.Whole():
            return st.integers(node.low, node.high)
        case census.Number():
            return st.floats(node.low, node.high) | st.integers(int(node.low), int(node.high))
        case _:
            return _holder(node, prose)


def _one_of_few(node: census.Flag | census.Word | census.Refused) -> st.SearchStrategy[Any]:
    match node:
        case census.Flag():
            return st.booleans()
        case census.Word():
            return st.sampled_from(node.options).map(str)
        case census.Refused():
            return st.sampled_from([*node.neutral, None]).map(copy.deepcopy)


def _free(node: census.Free, prose: Prose) -> st.SearchStrategy[Any]:
    """Objects, with prose among their names and values; lists where they may be."""
    words = prose(None)
    inner = st.dictionaries(PROSE, JSON, max_size=3)
    said = inner | st.builds(lambda free, told: {**free, told: [told]}, inner, words)
    return said if node.mapping else said | st.lists(words | JSON, max_size=3)


def _holder(node: census.Node, prose: Prose) -> st.SearchStrategy[Any]:
    match node:
        case census.Object():
            return st.fixed_dictionaries(
                {name: values(node.fields[name], prose) for name in node.required},
                optional={
                    name: st.none() | values(child, prose)
                    for name, child in node.fields.items()
                    if name not in node.required
                },
            )
        case census.Items():
            if isinstance(node.item, census.Refused):
                return st.nothing() if node.least else st.just(()).map(list)
            most = max(3, node.least)
            return st.lists(values(node.item, prose), min_size=node.least, max_size=most)
        case census.Keyed():
            return st.dictionaries(matching(node.key), values(node.item, prose), max_size=3)
        case census.Tagged():
            kept = {
                tag: values(variant, prose)
                for tag, variant in node.variants.items()
                if not isinstance(variant, census.Refused)
            }
            return st.one_of([_tagged(node.tag, tag, made) for tag, made in kept.items()])
        case census.Either():
            return values(node.string, prose) | values(node.other, prose)
        case _:
            raise AssertionError(node)


def _tagged(name: str, tag: str, made: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return made.map(lambda value: {**value, name: tag})


class Spoken(Protocol):
    """A dialect by its name and census."""

    @property
    def name(self) -> str: ...
    @property
    def census(self) -> census.Object: ...


def valid(surface: Spoken, prose: Prose = free_prose) -> st.SearchStrategy[dict[str, Any]]:
    """Whole bodies that the surface takes."""
    return values(surface.census, prose).map(COHERENT.get(surface.name, _as_it_is))


# What a census cannot say: fields that go together.


def _as_it_is(body: dict[str, Any]) -> dict[str, Any]:
    return body


def _coherent(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("stream") is not True:
        body.pop("stream_options", None)
    return body


def _one_of_two(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("messages") is None:
        return body | {"text": body.get("text") or ""}
    return {name: body[name] for name in body if name not in {"text", "role", "kind"}}


def _of_one_sort(body: dict[str, Any]) -> dict[str, Any]:
    asked = body["input"]
    if isinstance(asked, str):
        return body
    return body | {"input": [item for item in asked if type(item) is type(asked[0])]}


COHERENT: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "openai.chat": _coherent,
    "openai.completions": _coherent,
    "openai.moderations": _of_one_sort,
    "openai.responses": _coherent,
    "wardgate.guard": _one_of_two,
}

VALID = values(request(Limits())).map(_coherent)


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a JSON tree with its path, the root first."""
    yield path, value
    children = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else children:
        yield from places(item, (*path, key))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[Any], alien: st.SearchStrategy[Any]) -> Any:
    """A tree with something taken out, put in, or put in another's place, up to three times."""
    tree = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        path, value = draw(st.sampled_from(list(places(tree))))
        if isinstance(value, dict) and draw(st.booleans()):
            value[draw(PROSE)] = copy.deepcopy(draw(alien))
        elif not path:
            tree = copy.deepcopy(draw(alien))
        elif draw(st.booleans()):
            at(tree, path[:-1])[path[-1]] = copy.deepcopy(draw(alien))
        else:
            del at(tree, path[:-1])[path[-1]]
    return tree


_SAID = st.none() | st.text(ASCII, max_size=12)
_TOOL_CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.from_regex(census.ID, fullmatch=True, alphabet=ASCII),
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {
                    "name": st.from_regex(census.TOOL_NAME, fullmatch=True, alphabet=ASCII),
                    "arguments": st.dictionaries(PROSE, JSON, max_size=2).map(
                        lambda value: orjson.dumps(value).decode()
                    ),
                }
            ),
        }
    ),
    max_size=3,
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": _SAID, "refusal": _SAID},
    optional={"reasoning_content": _SAID, "reasoning": _SAID, "tool_calls": _TOOL_CALLS},
)


def _with_total(usage: dict[str, Any]) -> dict[str, Any]:
    return usage | {"total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]}


_COUNT = st.integers(0, 10**9)
_USAGE = st.fixed_dictionaries(
    {"prompt_tokens": _COUNT, "completion_tokens": _COUNT},
    optional={
        "prompt_tokens_details": st.fixed_dictionaries({"cached_tokens": _COUNT}),
        "completion_tokens_details": st.fixed_dictionaries({"reasoning_tokens": _COUNT}),
    },
).map(_with_total)


@st.composite
def _replies(draw: st.DrawFn) -> dict[str, Any]:
    reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
    return {
        "id": draw(st.from_regex(r"(chatcmpl|cmpl)-[0-9a-f]{8,32}", fullmatch=True)),
        "object": "chat.completion",
        "created": draw(st.integers(0, 2**40)),
        "model": "engine-model",
        "choices": [
            {"index": i, "message": m, "finish_reason": draw(reasons), "logprobs": None}
            for i, m in enumerate(draw(st.lists(_MESSAGE, min_size=1, max_size=3)))
        ],
        "usage": draw(_USAGE),
    }


REPLIES = _replies()
"""What an engine answers, whole."""


@st.composite
def _streams(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    reply = draw(REPLIES)
    lanes = [_deltas(draw, choice) for choice in reply["choices"]]
    events: list[dict[str, Any]] = []
    while waiting := [lane for lane in lanes if lane]:
        events.append(draw(st.sampled_from(waiting)).pop(0))
    head = {name: reply[name] for name in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    return reply, [
        *({**head, "choices": [choice]} for choice in events),
        {**head, "choices": [], "usage": reply["usage"]},
    ]


STREAMS = _streams()
"""A whole reply, and the same as the events of a stream, cut anywhere, choices interleaved."""


def _cut(draw: st.DrawFn, text: str | None) -> list[str]:
    text = text or ""
    marks = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[a:b] for a, b in zip([0, *marks], [*marks, len(text)], strict=True)]


def _deltas(draw: st.DrawFn, choice: dict[str, Any]) -> list[dict[str, Any]]:
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    for slot in ("reasoning_content", "reasoning", "content", "refusal"):
        deltas += [{slot: piece} for piece in _cut(draw, message.get(slot))]
    for index, call in enumerate(message.get("tool_calls") or ()):
        opening = {**call["function"], "arguments": ""}
        pieces = _cut(draw, call["function"]["arguments"])
        deltas.append({"tool_calls": [{**call, "index": index, "function": opening}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in pieces
        ]
    return [
        {"index": choice["index"], "delta": delta, "logprobs": None, "finish_reason": reason}
        for delta, reason in [*((d, None) for d in deltas), ({}, choice["finish_reason"])]
    ]
