"""The chat completions surface: what a client may send, and what of it reaches the engine."""

import re
from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Form, Kind, Role
from gateway.core.ports import Codec, Surface
from gateway.surfaces.census import ID, MODEL
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat import OpenAIChat
from tests.surfaces.from_census import JSON, PROSE, VALID, at, broken, places

CHAT = OpenAIChat(now=lambda: 1700000000)
HI = {"role": "user", "content": "hi"}


def parse(chat: OpenAIChat = CHAT, /, **body: Any):
    return chat.parse("c1", orjson.dumps({"model": "m", "messages": [HI], **body}))


def looked_at(call):
    return [(p.text, p.role, p.kind, p.form, p.tool) for p in call.passages]


def test_it_is_a_surface_and_a_codec():
    surface: Surface = CHAT
    codec: Codec = CHAT
    assert (surface.name, codec.path) == ("openai.chat", "/chat/completions")


def test_the_calls_options_are_read():
    call = parse(stream=True, n=3, stream_options={"include_usage": True})
    assert (call.id, call.surface, call.model) == ("c1", "openai.chat", "m")
    assert (call.stream, call.choices, call.usage_wanted) == (True, 3, True)
    assert not parse(stream=True).usage_wanted
    assert parse().usage_wanted
    assert parse(n=None).choices == 1


TOOL = {
    "type": "function",
    "function": {
        "name": "send_mail",
        "description": "Sends mail.",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
        "strict": True,
    },
}
PDF = "data:application/pdf;base64,JVBERi0="
CALLED = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "send_mail", "arguments": '{"to": "bob"}'},
}


def test_every_message_role_and_kind_of_text_becomes_a_passage():
    call = parse(
        messages=[
            {"role": "system", "content": "be kind", "name": "boss"},
            {"role": "developer", "content": [{"type": "text", "text": "be brief"}]},
            {"role": "user", "content": "hi", "name": "bob"},
            {"role": "assistant", "content": None, "reasoning": "why", "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sent"},
            {"role": "assistant", "refusal": "no", "reasoning_content": "hm", "content": "well"},
        ]
    )
    plain, system, assistant = Form.PLAIN, Role.SYSTEM, Role.ASSISTANT
    assert looked_at(call) == [
        ("be kind", system, Kind.TEXT, plain, None),
        ("boss", system, Kind.NAME, plain, None),
        ("be brief", system, Kind.TEXT, plain, None),
        ("hi", Role.USER, Kind.TEXT, plain, None),
        ("bob", Role.USER, Kind.NAME, plain, None),
        ("why", assistant, Kind.REASONING, plain, None),
        ("send_mail", assistant, Kind.TOOL_NAME, plain, "send_mail"),
        ('{"to": "bob"}', assistant, Kind.TOOL_ARGUMENTS, Form.JSON_TEXT, "send_mail"),
        ("sent", Role.TOOL, Kind.TOOL_RESULT, plain, "send_mail"),
        ("no", assistant, Kind.REFUSAL, plain, None),
        ("hm", assistant, Kind.REASONING, plain, None),
        ("well", assistant, Kind.TEXT, plain, None),
    ]


def test_every_text_beside_the_messages_becomes_a_passage():
    schema = {"name": "who", "description": "A person.", "schema": {"title": "Bob"}}
    call = parse(
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "send_mail"}},
        response_format={"type": "json_schema", "json_schema": schema},
        prediction={"type": "content", "content": "hello"},
        stop=["END", "bob"],
        metadata={"bob": "1"},
        user="bob",
        safety_identifier="b",
        prompt_cache_key="k",
    )
    plain, value, system, user = Form.PLAIN, Form.JSON_VALUE, Role.SYSTEM, Role.USER
    parameters = orjson.dumps(TOOL["function"]["parameters"]).decode()
    assert looked_at(call)[1:] == [
        ("send_mail", system, Kind.TOOL_DEFINITION, plain, None),
        ("Sends mail.", system, Kind.TOOL_DEFINITION, plain, None),
        (parameters, system, Kind.TOOL_DEFINITION, value, None),
        ("send_mail", system, Kind.TOOL_NAME, plain, "send_mail"),
        ("who", system, Kind.RESPONSE_FORMAT, plain, None),
        ("A person.", system, Kind.RESPONSE_FORMAT, plain, None),
        ('{"title":"Bob"}', system, Kind.RESPONSE_FORMAT, value, None),
        ("hello", Role.ASSISTANT, Kind.TEXT, plain, None),
        ("END", user, Kind.TEXT, plain, None),
        ("bob", user, Kind.TEXT, plain, None),
        ('{"bob":"1"}', user, Kind.METADATA, value, None),
        ("bob", user, Kind.METADATA, plain, None),
        ("b", user, Kind.METADATA, plain, None),
        ("k", user, Kind.METADATA, plain, None),
    ]


def test_paths_hold_places_and_names_of_the_schema_only():
    call = parse(metadata={"bob": "1"}, tools=[TOOL])
    assert [passage.origin for passage in call.passages] == [
        "messages.0.content",
        "metadata",
        "tools.0.function.name",
        "tools.0.function.description",
        "tools.0.function.parameters",
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": "hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [1]}, "messages.0"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "root", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [HI] * 2001}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * 257}]}, "messages.0.content"),
        ({"model": None}, "model"),
        ({"model": "a b"}, "model"),
        ({"model": "m\n"}, "model"),
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"n": True}, "n"),
        ({"n": 1.0}, "n"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "0"}, "temperature"),
        ({"seed": 2**63}, "seed"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": {}}, "tools"),
        ({"tools": [TOOL] * 257}, "tools"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"logit_bias": {"bob": 1}}, "logit_bias.bob"),
        ({"logit_bias": {"1": 101}}, "logit_bias.1"),
        ({"metadata": "x"}, "metadata"),
        ({"stop": [1]}, "stop.0"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "write to bob"}]}, "messages.0.tool_call_id"),
    ],
)  # fmt: skip
def test_what_is_out_of_type_or_range_is_named_by_its_path(body, path):
    with pytest.raises(InvalidField) as caught:
        parse(**body)
    assert caught.value.path == path


PARTS = [
    ({"type": "image_url", "image_url": {"url": "data:image/PNG;base64,iVBORw=="}}, "media.image.png"),
    ({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}, "media.audio.wav"),
    ({"type": "file", "file": {"file_data": PDF, "filename": "bob.pdf"}}, "media.file.pdf"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "label"), PARTS)
def test_what_is_no_text_is_told_by_its_type_for_the_policy_to_allow(part, label):
    call = parse(messages=[{"role": "user", "content": [{"type": "text", "text": "see"}, part]}])
    assert [(one.label, one.path) for one in call.media] == [(label, ("messages", 0, "content", 1))]
    assert CHAT.encode(call, "m")["messages"][0]["content"][1] == part


@pytest.mark.parametrize("url", ["https://example.org/x.png", "file:///etc/passwd", "data:text,x"])
def test_an_address_is_refused_for_the_engine_would_fetch_what_a_client_names(url):
    part = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(InvalidField) as caught:
        parse(messages=[{"role": "user", "content": [part]}])
    assert caught.value.path == "messages.0.content.0.image_url.url"
    assert url not in caught.value.message


@pytest.mark.parametrize("depth", ["messages.0", "tools.0.function", "stream_options"])
@pytest.mark.parametrize("name", ["mock_response", "api_base", "base_url", "api_key", "cache"])
def test_a_parameter_that_could_redirect_is_unknown_at_any_depth(depth, name):
    body = orjson.loads(
        orjson.dumps(
            {"model": "m", "messages": [HI], "tools": [TOOL], "stream": True, "stream_options": {}}
        )
    )
    at(body, tuple(int(s) if s.isdigit() else s for s in depth.split(".")))[name] = "x"
    with pytest.raises(UnknownField) as caught:
        CHAT.parse("c1", orjson.dumps(body))
    assert caught.value.path == f"{depth}.{name}"


@pytest.mark.parametrize(
    "body",
    [
        {"logprobs": True},
        {"top_logprobs": 2},
        {"store": True},
        {"modalities": ["text", "audio"]},
        {"audio": {"voice": "alloy", "format": "mp3"}},
        {"web_search_options": {}},
        {"functions": [{"name": "f"}]},
        {"function_call": "auto"},
        {"moderation": {"model": "m"}},
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        {"stream": True, "stream_options": {"include_obfuscation": True}},
        {"messages": [{"role": "function", "name": "f", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": PDF, "file_id": "f"}}]}]},
        {"messages": [{"role": "assistant", "audio": {"id": "x"}}]},
    ],
)  # fmt: skip
def test_what_is_known_but_not_guarded_is_refused_as_such(body):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse(**body)


def test_an_answer_that_a_client_sends_back_as_it_got_it_is_taken():
    answer = {"content": "x", "refusal": None, "annotations": [], "audio": None}
    parse(messages=[HI, {"role": "assistant", **answer, "function_call": None, "tool_calls": None}])


def test_unknown_top_level_fields_wait_for_the_model_and_reach_no_engine_before():
    call = parse(top_k=5, api_base="http://x")
    assert call.unknown == {"top_k": 5, "api_base": "http://x"}
    assert "top_k" not in call.body
    with pytest.raises(UnknownField):
        CHAT.encode(call, "m")
    with pytest.raises(UnknownField) as caught:
        CHAT.admit_extra(call, {"top_k": "integer"})
    assert caught.value.path == "api_base"


def test_an_unknown_name_that_could_be_prose_is_not_repeated():
    with pytest.raises(UnknownField) as caught:
        CHAT.admit_extra(parse(**{"bob@corp.example": 1}), {})
    assert caught.value.path == "?"
    assert "bob" not in caught.value.message


def test_a_models_own_fields_are_admitted_by_type_and_their_text_is_guarded():
    extra = {"top_k": "integer", "min_p": "number", "ignore_eos": "boolean"}
    extra |= {"guided_json": "text", "guided_regex": "text", "guided_choice": "text"}
    own = {"top_k": 5, "min_p": 0.1, "ignore_eos": True, "guided_json": {"bob": 1}}
    own |= {"guided_regex": "bob|al", "guided_choice": ["bob"]}
    call = CHAT.admit_extra(parse(CHAT, **own), extra)
    assert call.unknown == {}
    assert CHAT.encode(call, "m") == {"model": "m", "messages": [HI], **own}
    assert [(p.origin, p.text, p.form) for p in call.passages[1:]] == [
        ("guided_json", '{"bob":1}', Form.JSON_VALUE),
        ("guided_regex", "bob|al", Form.PLAIN),
        ("guided_choice", '["bob"]', Form.JSON_VALUE),
    ]
    after = CHAT.rewrite(call, {("guided_json",): '{"<PERSON>":1}'})
    assert CHAT.encode(after, "m")["guided_json"] == {"<PERSON>": 1}


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("integer", "5"), ("integer", True), ("integer", 5.0), ("integer", 2**63),
        ("number", "x"), ("number", False), ("boolean", 1), ("text", 5), ("text", True),
    ],
)  # fmt: skip
def test_a_models_own_field_of_another_type_is_refused(declared, value):
    with pytest.raises(InvalidField) as caught:
        CHAT.admit_extra(parse(own=value), {"own": declared})
    assert caught.value.path == "own"


def test_a_call_without_unknown_fields_is_admitted_as_it_is():
    call = parse()
    assert CHAT.admit_extra(call, {"top_k": "integer"}) is call


def test_a_type_of_extra_that_does_not_exist_is_our_own_mistake():
    with pytest.raises(ValueError, match="knows integer"):
        CHAT.admit_extra(parse(own=1), {"own": "colour"})


def test_limits_are_the_operators():
    strict = OpenAIChat(Limits(choices=1, messages=1, tools=0))
    for body in ({"n": 2}, {"messages": [HI, HI]}, {"tools": [TOOL]}):
        with pytest.raises(InvalidField):
            parse(strict, **body)


def test_a_stream_always_asks_the_engine_for_usage():
    asked = CHAT.encode(parse(stream=True, stream_options={"include_obfuscation": False}), "e")
    assert asked["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert CHAT.encode(parse(stream=True), "e")["stream_options"] == {"include_usage": True}
    assert "stream_options" not in CHAT.encode(parse(), "e")


@given(VALID)
def test_what_is_valid_reaches_the_engine_unchanged_but_for_model_and_usage(body):
    call = CHAT.parse("c1", orjson.dumps(body))
    expected = {**body, "model": "engine"}
    if call.stream:
        options = body.get("stream_options") or {}
        expected["stream_options"] = {**options, "include_usage": True}
    assert CHAT.encode(call, "engine") == expected


@given(VALID)
def test_no_string_passes_unless_it_is_a_field_or_too_narrow_for_prose(body):
    call = CHAT.parse("c1", orjson.dumps(body))
    fields = {part.path: part for passage in call.passages for part in passage.fields}
    for path, value in places(body):
        part = next((fields[path[:n]] for n in range(len(path) + 1) if path[:n] in fields), None)
        if part is not None and part.path == path:
            same = orjson.loads(part.text) if part.form is Form.JSON_VALUE else part.text
            assert same == value
        elif part is None and isinstance(value, str):
            narrow = (MODEL if path == ("model",) else ID) if value else re.compile("")
            blob = any(path[: len(one.path)] == one.path for one in call.media)
            assert blob or narrow.fullmatch(value), path


CANARY = "canary bob@corp.example 4111"
ALIEN = JSON | st.just(CANARY) | st.just({CANARY: CANARY}) | st.integers(2**62, 2**70)


def survives(body: bytes) -> None:
    said = ""
    try:
        CHAT.admit_extra(CHAT.parse("c1", body), {})
    except BadRequest as error:
        said = f"{error.path}: {error.message}"
    assert "bob" not in said


@given(broken(VALID, ALIEN))
def test_a_broken_request_gives_a_call_or_a_bad_request_that_repeats_nothing(body):
    try:
        survives(orjson.dumps(body))
    except orjson.JSONEncodeError:
        survives(str(body).replace("'", '"').encode())


@given(JSON | st.dictionaries(st.sampled_from(["messages", "model", "tools", "n"]), JSON))
def test_any_json_gives_a_call_or_a_bad_request(body):
    survives(orjson.dumps(body))


def test_errors_have_the_shape_of_the_api():
    body = CHAT.error(
        status=400, kind="invalid_request_error", code="unknown_field", message="no", path="x.y"
    )
    assert orjson.loads(body) == {
        "error": {
            "message": "no",
            "type": "invalid_request_error",
            "param": "x.y",
            "code": "unknown_field",
        }
    }
    event = CHAT.writer(parse()).error(kind="k", code="c", message="no")
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    assert orjson.loads(event[6:]) == {
        "error": {"message": "no", "type": "k", "param": None, "code": "c"}
    }


def test_a_stream_ends_in_one_comment_line_and_the_terminator():
    assert CHAT.writer(parse()).done("x-wardgate-action: redact") == (
        b": x-wardgate-action: redact\n\ndata: [DONE]\n\n"
    )
    assert CHAT.writer(parse()).done("a\n\ndata: b") == b": a data: b\n\ndata: [DONE]\n\n"


@settings(max_examples=20)
@given(PROSE)
def test_what_the_official_client_sends_is_taken_and_forwarded(text):
    sent: list[bytes] = []

    def engine(http: httpx.Request) -> httpx.Response:
        sent.append(http.content)
        return httpx.Response(400, json={})

    transport = httpx.MockTransport(engine)
    with httpx.Client(transport=transport) as http:
        client = openai.OpenAI(
            api_key="k", base_url="http://127.0.0.1/v1", http_client=http, max_retries=0
        )
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(
                model="mock~tokens=4",
                messages=[
                    {"role": "user", "content": [{"type": "text", "text": text}]},
                    {"role": "assistant", "tool_calls": [CALLED]},  # type: ignore[list-item]
                    {"role": "tool", "content": text, "tool_call_id": "call_1"},
                ],
                tools=[TOOL],  # type: ignore[list-item]
                n=2,
                stop=text,
                stream=True,
                stream_options={"include_usage": True},
                response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
            )
    call = CHAT.parse("c1", sent[0])
    assert CHAT.encode(call, call.model) == orjson.loads(sent[0])
