"""One text or several; tokens never."""

import pytest

from gateway.core.errors import BadRequest, InvalidField, Unsupported
from gateway.surfaces.openai_texts import how_many, one_or_more, refuse_tokens
from gateway.surfaces.walker import Walk


def walked(value, most=3):
    refuse_tokens("input", value)
    walk = Walk()
    walk.visit(one_or_more(most), value, ("input",))
    return [(passage.origin, passage.text) for passage in walk.passages()]


def test_a_string_is_one_text_and_a_list_is_several():
    assert walked("a") == [("input", "a")]
    assert walked(["a", "b"]) == [("input.0", "a"), ("input.1", "b")]
    assert (how_many("abc"), how_many(["a", "b"])) == (1, 2)


@pytest.mark.parametrize("tokens", [[1], [1, 2, 3, 4, 5], ["a", 1], [[1, 2]], ["a", [1]], [[None]]])
def test_tokens_are_refused_as_text_that_nobody_can_look_at(tokens):
    with pytest.raises(Unsupported, match="text that nobody can look at; send strings") as caught:
        walked(tokens)
    assert str(caught.value.path).startswith("input")


@pytest.mark.parametrize(
    "value", [5, True, {}, [], ["a"] * 4, [True], [1.5], [{}], [None], [[]], [[[1]], []]]
)
def test_nothing_else_is_taken(value):
    with pytest.raises(BadRequest):
        walked(value)


def test_too_many_are_named_by_the_field():
    with pytest.raises(InvalidField, match="a list of 1 to 3 items; this is a list of 4") as caught:
        walked(["a"] * 4)
    assert caught.value.path == "input"
