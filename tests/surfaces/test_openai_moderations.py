"""The moderations dialect: what a client may send, and how it is cut into results."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from openai.types import moderation_create_params as sdk

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Call, Kind, Role, Stage
from gateway.core.ports import JudgingSurface
from gateway.surfaces.census import Object
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_moderations import OpenAIModerations
from tests.surfaces.from_census import JSON, broken, values
from tests.surfaces.published import undeclared

MODERATIONS = OpenAIModerations()
PICTURE = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}


def part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def parse(asked: Any, **more: Any) -> Call:
    return MODERATIONS.parse("c1", orjson.dumps({"input": asked, **more}))


def texts(call: Call) -> list[tuple[str, ...]]:
    return [tuple(field.text for field in passage.fields) for passage in call.passages]


def test_it_is_a_judging_surface():
    surface: JudgingSurface = MODERATIONS
    assert (surface.name, surface.asks_model) == ("openai.moderations", False)


def test_a_string_is_a_users_text_at_the_input():
    call = parse("hi")
    (passage,) = call.passages
    assert (passage.text, passage.stage, passage.role) == ("hi", Stage.INPUT, Role.USER)
    assert (passage.kind, passage.origin) == (Kind.TEXT, "input")
    assert (call.surface, call.model) == ("openai.moderations", "")


def test_strings_are_looked_at_apart_and_parts_as_one():
    assert texts(parse(["a", "", "b"])) == [("a",), ("b",)]
    assert texts(parse([part("a"), part(""), part("b")])) == [("a", "b")]
    assert texts(parse([part("")])) == []


def test_the_model_says_which_policy_is_meant():
    assert parse("hi", model="omni-moderation-latest").model == "omni-moderation-latest"


def test_a_picture_is_refused_for_nobody_looks_at_it():
    with pytest.raises(Unsupported) as caught:
        parse([part("a"), PICTURE])
    assert caught.value.path == "input.1"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (None, "input"),
        (5, "input"),
        ([], "input"),
        ([5], "input.0"),
        ([part("a"), "b"], "input.1"),
        (["a", part("b")], "input.1"),
        ([{"type": "text"}], "input.0.text"),
        ([{"type": "audio"}], "input.0.type"),
    ],
)
def test_what_is_out_of_type_is_named_by_its_path(asked, path):
    with pytest.raises(InvalidField) as caught:
        parse(asked)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("asked", "more"), [("hi", {"store": True}), ([{**part("a"), "x": 1}], {})]
)
def test_an_unknown_field_is_refused_at_any_depth(asked, more):
    with pytest.raises(UnknownField):
        MODERATIONS.admit_extra(parse(asked, **more), {})


def test_the_limits_of_shape_hold():
    with pytest.raises(InvalidField):
        OpenAIModerations(Limits(messages=1)).parse("c1", b'{"input": ["a", "b"]}')


def test_every_field_of_the_official_client_is_declared_at_every_depth():
    assert list(undeclared(sdk.ModerationCreateParams, MODERATIONS.census, "")) == []


def test_the_check_sees_a_field_that_is_missing():
    without = Object({"input": MODERATIONS.census.fields["input"]})
    assert list(undeclared(sdk.ModerationCreateParams, without, "")) == [".model"]


def test_errors_have_the_shape_of_openai():
    body = MODERATIONS.error(status=400, kind="k", code="c", message="m", path="input")
    assert orjson.loads(body)["error"] == {
        "message": "m",
        "type": "k",
        "param": "input",
        "code": "c",
    }


ASKED = values(MODERATIONS.census)


@given(ASKED | broken(ASKED, JSON) | JSON)
def test_any_json_gives_a_call_or_a_bad_request(body):
    try:
        call = MODERATIONS.parse("c1", orjson.dumps(body))
    except BadRequest:
        return
    changed = MODERATIONS.rewrite(
        call, {field.path: "X" for passage in call.passages for field in passage.fields}
    )
    assert all(field.text == "X" for p in changed.passages for field in p.fields)
