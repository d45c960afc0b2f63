from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BeforeValidator, Field, model_validator

from gateway.core.errors import InvalidDocument
from gateway.services.documents import parse
from gateway.services.validation import (
    Section,
    UnfitError,
    annotation_at,
    kind_of,
    known_keys,
    suggest,
    validate,
)


def _even(value):
    if value % 2:
        raise UnfitError("is odd.", "Add one.")
    return value


class Inner(Section):
    count: Annotated[int, Field(ge=1)] = 1
    colour: Literal["red", "green"] = "red"
    with_: str | None = Field(default=None, alias="with")


class Outer(Section):
    title: str
    ratio: float = 0.5
    on: bool = True
    inners: tuple[Inner, ...] = ()
    by_name: Mapping[str, Inner] | None = None
    even: Annotated[int, BeforeValidator(_even)] = 2
    words: Annotated[tuple[str, ...], Field(min_length=1)] = ("a",)

    @model_validator(mode="after")
    def _fits(self):
        if self.title == "bad":
            raise UnfitError("is bad.", "Be good.", at=("title",))
        return self


def problems(text: str):
    with pytest.raises(InvalidDocument) as refused:
        validate(parse(text.encode(), "f.yaml"), Outer)
    return refused.value.problems


@pytest.mark.parametrize(
    ("text", "line", "what", "mend"),
    [
        ("title: x\nrato: 1\n", 2, "`rato`", "`ratio`"),
        ("title: x\ninners:\n- count: 1\n- cuont: 1\n", 4, "`inners.1.cuont`", "`count`"),
        ("title: x\nby_name:\n  a: {colur: red}\n", 3, "`by_name.a.colur`", "`colour`"),
        ("title: x\ninners: [{wiht: a}]\n", 2, "`inners.0.wiht`", "`with`"),
        ("title: x\nzzzzzz: 1\n", 2, "`zzzzzz`", "Known here"),
        ("ratio: 1\n", 1, "`title`: this key is missing", "Add `title:`"),
        ("title: 3\n", 1, "expected text, got a number", "Quote it"),
        ("title: x\nratio: high\n", 2, "expected a number, got text", ""),
        ("title: x\non: yes\n", 2, "expected true or false, got text", ""),
        ("title: x\ninners: 3\n", 2, "expected a list, got a number", ""),
        ("title: x\ninners: [3]\n", 2, "expected a mapping", ""),
        ("title: x\ninners: [{count: 0}]\n", 2, "at least 1", ""),
        ("title: x\ninners: [{count: true}]\n", 2, "expected a whole number", ""),
        ("title: x\ninners: [{count: 1.5}]\n", 2, "expected a whole number", ""),
        ("title: x\ninners: [{colour: gren}]\n", 2, "got gren", "`green`"),
        ("title: x\nwords: []\n", 2, "expected something", ""),
        ("title: x\neven: 3\n", 2, "`even`: is odd", "Add one"),
        ("\ntitle: bad\n", 2, "`title`: is bad", "Be good"),
        ("[]", 1, "expected a mapping", ""),
    ],
)
def test_a_mistake_is_told_with_its_line_and_how_to_mend_it(text, line, what, mend):
    (found,) = problems(text)
    assert found.line == line
    assert what in found.what
    assert mend in found.mend
    assert found.mend


def test_all_mistakes_are_told_at_once_in_order_of_line():
    found = problems("rato: 1\ntitle: 3\non: 3\n")
    assert [each.line for each in found] == [1, 2, 3]


def test_a_value_is_never_echoed():
    canary = "canary-7f3a" * 4
    found = problems(f"title: 3\nratio: {canary}\ninners: [{{colour: {canary}}}]\n")
    assert canary not in str(found)


@given(st.text(min_size=1, max_size=12), st.sampled_from(["title", "ratio", "inners"]))
def test_a_suggestion_is_always_a_known_word_or_the_list_of_them(word, key):
    told = suggest(word, ["title", "ratio", "inners"])
    assert told.startswith(("Did you mean `", "Known here: "))
    assert key in suggest(key, ["title", "ratio", "inners"])


def test_kinds_are_words_for_people():
    assert [kind_of(v) for v in (None, True, 1, 1.5, "x", [], {})] == [
        "nothing",
        "true or false",
        "a number",
        "a number",
        "text",
        "a list",
        "a mapping",
    ]


def test_the_type_at_a_path_is_found_through_lists_mappings_and_what_may_be_absent():
    assert annotation_at(Outer, ("inners", 3)) is Inner
    assert annotation_at(Outer, ("by_name", "x")) is Inner
    assert annotation_at(Outer, ("by_name", "x", "count")) is int
    assert annotation_at(Outer, ("nothing", "here")) is None
    assert known_keys(Outer, ("inners", 0)) == ("count", "colour", "with")
