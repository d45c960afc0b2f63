"""What the schema of a census says: as much as the walker does, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.core.errors import BadRequest
from gateway.core.model import Kind, Role
from gateway.surfaces import census
from gateway.surfaces.json_schema import anchored, schema, shape
from gateway.surfaces.media_types import IMAGE
from gateway.surfaces.walker import Walk
from gateway.wiring import surfaces
from tests.surfaces.from_census import JSON, broken, values

TEXT = census.Text(Kind.TEXT)
SURFACES = sorted(surfaces().values(), key=lambda one: one.name)
NAMED = [one.name for one in SURFACES]


def takes(node: census.Node, value: Any) -> bool:
    """Whether the walker does."""
    try:
        Walk().visit(node, value, ())
    except BadRequest:
        return False
    return True


def fits(node: census.Node, value: Any) -> bool:
    """Whether the schema does."""
    return Draft202012Validator(schema(node)).is_valid(value)


def below(node: census.Node) -> Iterator[census.Node]:
    yield node
    match node:
        case census.Object():
            inside = [*node.fields.values()]
        case census.Items() | census.Keyed():
            inside = [node.item]
        case census.Tagged():
            inside = [*node.variants.values()]
        case census.Either():
            inside = [node.string, node.other]
        case _:
            inside = []
    for child in inside:
        yield from below(child)


TAGGED = census.Tagged(
    "type",
    {
        "a": census.Object({"type": census.Word(("a",)), "x": TEXT}, required=("type", "x")),
        "b": census.Object({"type": census.Word(("b",)), "x": census.Flag()}, required=("type",)),
        "c": census.Refused("nobody looks"),
    },
)
CASES: list[tuple[census.Node, list[Any], list[Any]]] = [
    (TEXT, ["", "x\n"], [None, 1, ["x"]]),
    (census.Text(Kind.NAME, pattern=census.TOOL_NAME), ["a-b"], ["", "a b", "x" * 65]),
    (census.Token(census.MODEL), ["lab/x:1"], ["", "é", "a b", 1]),
    (IMAGE, ["data:image/png;base64,AA=="], ["https://x", "x", "data:image/bob;base64,AA=="]),
    (census.Free(Kind.TEXT, Role.USER), [{}, {"a": [None]}], [[], "x", None]),
    (census.Free(Kind.TEXT, Role.USER, mapping=False), [{}, [1]], ["x", None]),
    (census.Flag(), [True, False], [1, "true", None]),
    (census.Whole(1, 3), [1, 3], [0, 4, 1.5, True, "1"]),
    (census.Number(-1, 1), [-1, 0.5, 1], [1.01, "0", True]),
    (census.Number(float("-inf"), float("inf")), [-(10**30), 0.5], ["0"]),
    (census.Word(("a", "b")), ["a"], ["c", "", 1, None]),
    (census.Items(TEXT, most=2, least=1), [["a"], ["a", "b"]], [[], ["a"] * 3, "a", [None]]),
    (census.Keyed(re.compile("[0-9]"), census.Flag()), [{}, {"1": True}], [{"12": True}, {"1": 1}]),
    (census.Either(TEXT, census.Items(TEXT, most=1)), ["a", []], [{}, 1, [1]]),
    (
        TAGGED,
        [{"type": "a", "x": ""}, {"type": "b", "x": None}, {"type": "b"}],
        [{"type": "a"}, {"type": "b", "x": ""}, {"type": "c"}, {}, {"type": "b", "y": 1}],
    ),
    (
        census.Object({"a": TEXT, "b": census.Flag()}, required=("a",)),
        [{"a": "x"}, {"a": "x", "b": None}],
        [{}, {"a": None}, {"a": "x", "c": 1}, []],
    ),
    (
        census.Object({"r": census.Refused("no", (False, [])), "s": census.Refused("no")}),
        [{}, {"r": False}, {"r": []}, {"r": None, "s": None}],
        [{"r": True}, {"r": 0}, {"s": False}],
    ),
]


@pytest.mark.parametrize(("node", "good", "bad"), CASES)
def test_the_schema_and_the_walker_take_the_same(
    node: census.Node, good: list[Any], bad: list[Any]
) -> None:
    for value in good:
        assert fits(node, value), value
        assert takes(node, value), value
    for value in bad:
        assert not fits(node, value), value
        assert not takes(node, value), value


@pytest.mark.parametrize("surface", SURFACES, ids=NAMED)
def test_what_the_walker_takes_is_what_the_schema_allows(surface: Any) -> None:
    # A census is walked without its surface here, so what goes together does not matter.
    checks = Draft202012Validator(schema(surface.census))
    Draft202012Validator.check_schema(schema(surface.census))

    @given(st.data())
    def agree(data: st.DataObject) -> None:
        whole = values(surface.census)
        value = data.draw(whole | broken(whole, JSON))
        if _whole_fractions(value):
            return
        assert checks.is_valid(value) == takes(surface.census, value), value

    agree()


def _whole_fractions(value: Any) -> bool:
    """Whether there is a 1.0: an integer to JSON Schema, and to the walker none."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return any(_whole_fractions(item) for item in inside)
    return isinstance(value, float) and value.is_integer()


@pytest.mark.parametrize("surface", SURFACES, ids=NAMED)
def test_every_pattern_of_a_census_means_the_same_in_a_schema(surface: Any) -> None:
    patterns = {
        found
        for node in below(surface.census)
        if (found := getattr(node, "pattern", None) or getattr(node, "key", None)) is not None
    }

    assert patterns
    for pattern in patterns:
        assert pattern.flags & ~(re.ASCII | re.UNICODE) == 0, "a schema has no flags"
        assert not re.search(r"\\[wsdbZAz]", anchored(pattern)), "it differs between validators"


@given(st.text(max_size=12))
def test_an_anchored_pattern_describes_the_whole(text: str) -> None:
    if text.endswith("\n"):
        return  # Python's `$` lets one pass, ECMA's does not
    for pattern in (census.ID, census.TOOL_NAME, census.MODEL, census.BASE64):
        assert bool(re.search(anchored(pattern), text)) == bool(pattern.fullmatch(text))


def test_a_shape_is_what_two_values_have_in_common() -> None:
    one = {"type": "error", "error": {"message": "a", "param": "p"}, "id": 1}
    other = {"type": "error", "error": {"message": "b", "param": None}}

    made = shape(one, other)

    assert made["properties"]["type"] == {"const": "error"}
    assert made["properties"]["error"]["properties"]["param"] == {"type": ["null", "string"]}
    assert made["required"] == ["type", "error"]
    assert Draft202012Validator(made).is_valid(one)
    assert not Draft202012Validator(made).is_valid({**one, "text": "leak"})
