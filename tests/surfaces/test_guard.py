"""The guard's own dialect: what a client may ask it to look at."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Call, Form, Kind, Media, Role, Stage
from gateway.core.ports import JudgingSurface
from gateway.surfaces.census import rows
from gateway.surfaces.guard import GuardText
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat import OpenAIChat
from tests.surfaces.from_census import JSON, broken, values

GUARD = GuardText()
HI = {"role": "user", "content": "hi"}


def parse(**body: Any) -> Call:
    return GUARD.parse("c1", orjson.dumps(body))


def looked_at(call: Call):
    return [(p.text, p.stage, p.role, p.kind, p.form, p.tool) for p in call.passages]


def test_it_is_a_judging_surface():
    surface: JudgingSurface = GUARD
    assert (surface.name, surface.asks_model) == ("wardgate.guard", False)


def test_a_text_alone_is_a_users_at_the_input():
    call = parse(text="hi")
    assert (call.id, call.surface, call.model, call.stream) == ("c1", "wardgate.guard", "", False)
    assert looked_at(call) == [("hi", Stage.INPUT, Role.USER, Kind.TEXT, Form.PLAIN, None)]
    assert call.passages[0].origin == "text"


def test_a_text_at_the_output_is_the_assistants():
    call = parse(text="hi", stage="output", model="chat")
    assert call.model == "chat"
    assert looked_at(call) == [("hi", Stage.OUTPUT, Role.ASSISTANT, Kind.TEXT, Form.PLAIN, None)]


def test_role_and_kind_are_as_asked():
    call = parse(text="hi", role="tool", kind="tool_result")
    assert looked_at(call) == [("hi", Stage.INPUT, Role.TOOL, Kind.TOOL_RESULT, Form.PLAIN, None)]


def test_arguments_are_read_as_json_and_a_tools_name_meets_rules_on_tools():
    (arguments,) = parse(text='{"to": "bob"}', kind="tool_arguments").passages
    (name,) = parse(text="send_mail", kind="tool_name", stage="output").passages
    assert arguments.form is Form.JSON_TEXT
    assert (name.role, name.tool) == (Role.ASSISTANT, "send_mail")


def test_messages_are_those_of_chat_completions_at_the_asked_stage():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, picture]
    messages = [HI, {"role": "user", "content": parts}, {"role": "assistant", "content": "so"}]
    call = parse(messages=messages, stage="output")
    chat = OpenAIChat().parse("c1", orjson.dumps({"model": "m", "messages": messages}))
    assert [p.fields for p in call.passages] == [p.fields for p in chat.passages]
    assert {p.stage for p in call.passages} == {Stage.OUTPUT}
    assert call.media == (Media(("messages", 1, "content", 2), "image", "png"),)


def test_an_empty_text_has_nothing_to_look_at():
    assert parse(text="").passages == ()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "text"),
        ({"text": None, "messages": None}, "text"),
        ({"text": "hi", "messages": [HI]}, "text"),
        ({"text": 5}, "text"),
        ({"text": "hi", "stage": "both"}, "stage"),
        ({"text": "hi", "role": "root"}, "role"),
        ({"text": "hi", "kind": "poem"}, "kind"),
        ({"text": "hi", "model": "a b"}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [HI], "role": "user"}, "role"),
        ({"messages": [HI], "kind": "text"}, "kind"),
    ],
)
def test_what_is_out_of_place_is_named_by_its_path(body, path):
    with pytest.raises(InvalidField) as caught:
        parse(**body)
    assert caught.value.path == path


def test_what_chat_refuses_is_refused_here():
    with pytest.raises(Unsupported):
        parse(messages=[{"role": "function", "name": "f", "content": "x"}])


@pytest.mark.parametrize("body", [{"text": "hi", "policy": "none"}, {"messages": [HI | {"x": 1}]}])
def test_an_unknown_field_is_refused_at_any_depth(body):
    with pytest.raises(UnknownField):
        GUARD.admit_extra(parse(**body), {})


def test_the_limits_of_shape_hold():
    with pytest.raises(InvalidField):
        GuardText(Limits(messages=1)).parse("c1", orjson.dumps({"messages": [HI, HI]}))


def test_only_words_and_names_pass_unlooked_at():
    strings = {row.path for row in rows(GUARD.census) if row.detail.startswith("a string")}
    assert strings == {
        "messages[]<assistant>.tool_calls[]<function>.id",
        "messages[]<tool>.tool_call_id",
        "model",
    }


def test_errors_have_the_shape_of_openai():
    body = GUARD.error(status=400, kind="invalid_request", code="x", message="m", path="text")
    assert orjson.loads(body)["error"]["param"] == "text"


ASKED = values(GUARD.census)


@given(ASKED | broken(ASKED, JSON) | JSON)
def test_any_json_gives_a_call_or_a_bad_request(body):
    try:
        call = GUARD.parse("c1", orjson.dumps(body))
    except BadRequest:
        return
    assert {p.stage for p in call.passages} <= {Stage(body.get("stage") or "input")}
    texts = {field.path: "X" for passage in call.passages for field in passage.fields}
    changed = GUARD.rewrite(call, texts)
    assert all(field.text == "X" for p in changed.passages for field in p.fields)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_call_or_a_bad_request(body):
    try:
        GUARD.parse("c1", body)
    except BadRequest:
        return
