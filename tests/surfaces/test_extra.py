"""An engine's own fields: nothing undeclared passes, and declared text is looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BadRequest, InvalidField, UnknownField
from gateway.core.model import Call, Form, Kind, Role
from gateway.surfaces.extra import admitted, set_aside
from tests.surfaces.from_census import JSON, PROSE

TYPES = {"top_k": "integer", "min_p": "number", "ignore_eos": "boolean", "guided_json": "text"}


def call(**unknown):
    return Call("c1", "openai.chat", "m", {"model": "m"}, (), unknown=unknown)


def test_unknown_names_of_the_top_level_are_taken_out_of_the_body():
    tree = {"model": "m", "top_k": 5, "x": {"model": 1}}
    assert set_aside(tree, {"model": None}) == {"top_k": 5, "x": {"model": 1}}
    assert tree == {"model": "m"}


def test_a_call_without_unknown_fields_is_admitted_as_it_is():
    plain = call()
    assert admitted(plain, TYPES) is plain


def test_declared_fields_are_admitted_by_type_and_their_text_is_guarded():
    own = {"top_k": 5, "min_p": 1, "ignore_eos": True, "guided_json": ["bob"], "none": None}
    after = admitted(call(**own), {**TYPES, "none": "integer"})
    assert (after.body, after.unknown) == ({"model": "m", **own}, {})
    (passage,) = after.passages
    assert (passage.origin, passage.text, passage.form) == (
        "guided_json",
        '["bob"]',
        Form.JSON_VALUE,
    )
    assert (passage.role, passage.kind) == (Role.USER, Kind.TEXT)


def test_what_is_not_declared_is_unknown_and_prose_in_its_name_is_not_repeated():
    with pytest.raises(UnknownField) as caught:
        admitted(call(**{"top_k": 5, "bob@corp.example": 1}), TYPES)
    assert caught.value.path == "?"
    assert "bob" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [("top_k", 1.5), ("top_k", True), ("min_p", "1"), ("ignore_eos", 0), ("guided_json", 5)],
)
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(InvalidField) as caught:
        admitted(call(**{name: value}), TYPES)
    assert caught.value.path == name


def test_a_type_that_does_not_exist_is_our_own_mistake():
    with pytest.raises(ValueError, match="knows integer"):
        admitted(call(top_k=1), {"top_k": "colour"})


@given(st.dictionaries(st.sampled_from([*TYPES, "x"]) | PROSE, JSON, max_size=3))
def test_whatever_is_sent_its_text_is_looked_at_or_it_is_refused(unknown):
    try:
        after = admitted(call(**unknown), TYPES)
    except BadRequest:
        return
    assert set(unknown) <= set(TYPES)
    text = unknown.get("guided_json")
    silent = text is None or text == ""
    assert [p.origin for p in after.passages] == ([] if silent else ["guided_json"])
