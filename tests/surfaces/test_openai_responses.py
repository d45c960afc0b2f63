"""The `responses` surface: what a client may send, what is looked at, and what it gets back."""

import re
from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Chunk, Finished, Form, Kind, Opened, Role, Text, ToolOpened, Usage
from gateway.core.ports import Codec, ModelSurface
from gateway.surfaces.census import ID, MODEL
from gateway.surfaces.intake import Limits
from gateway.surfaces.media_types import FILE
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.openai_responses import OpenAIResponses
from gateway.surfaces.translated import Translated
from tests.surfaces.from_census import JSON, PROSE, at, broken, places, valid

RESPONSES = OpenAIResponses(now=lambda: 1700000000)
CODEC = Translated(RESPONSES, OpenAIChat())
VALID = valid(RESPONSES)
TOOL = {
    "type": "function",
    "name": "send_mail",
    "description": "Sends mail.",
    "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
    "strict": True,
}


def parse(responses: OpenAIResponses = RESPONSES, /, **body: Any):
    return responses.parse("c1", orjson.dumps({"model": "m", "input": "hi", **body}))


def looked_at(call):
    return [(p.text, p.role, p.kind, p.form, p.tool) for p in call.passages]


def test_it_is_a_surface_and_with_another_dialect_a_codec():
    surface: ModelSurface = RESPONSES
    codec: Codec = CODEC
    assert (surface.name, codec.path) == ("openai.responses", "/chat/completions")


def test_the_calls_options_are_read():
    call = parse(stream=True, stream_options={"include_obfuscation": False})
    assert (call.id, call.surface, call.model) == ("c1", "openai.responses", "m")
    assert (call.stream, call.choices, call.usage_wanted) == (True, 1, True)
    assert not parse(stream=None).stream


def test_every_text_beside_the_items_becomes_a_passage():
    form = {"type": "json_schema", "name": "who", "description": "A person.", "schema": {"a": 1}}
    call = parse(
        instructions="be kind",
        tools=[TOOL],
        tool_choice={"type": "function", "name": "send_mail"},
        text={"format": form, "verbosity": "low"},
        metadata={"bob": "1"},
        user="bob",
        safety_identifier="b",
        prompt_cache_key="k",
    )
    plain, value, system, user = Form.PLAIN, Form.JSON_VALUE, Role.SYSTEM, Role.USER
    parameters = orjson.dumps(TOOL["parameters"]).decode()
    assert looked_at(call) == [
        ("hi", user, Kind.TEXT, plain, None),
        ("be kind", system, Kind.TEXT, plain, None),
        ("send_mail", system, Kind.TOOL_DEFINITION, plain, None),
        ("Sends mail.", system, Kind.TOOL_DEFINITION, plain, None),
        (parameters, system, Kind.TOOL_DEFINITION, value, None),
        ("send_mail", system, Kind.TOOL_NAME, plain, "send_mail"),
        ("who", system, Kind.RESPONSE_FORMAT, plain, None),
        ("A person.", system, Kind.RESPONSE_FORMAT, plain, None),
        ('{"a":1}', system, Kind.RESPONSE_FORMAT, value, None),
        ('{"bob":"1"}', user, Kind.METADATA, value, None),
        ("bob", user, Kind.METADATA, plain, None),
        ("b", user, Kind.METADATA, plain, None),
        ("k", user, Kind.METADATA, plain, None),
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"input": 5}, "input"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": [{"role": "user", "content": "x"}] * 2001}, "input"),
        ({"model": "a b"}, "model"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": "1"}, "top_p"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options"),
        ({"tools": [TOOL] * 257}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "tools.0.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice.tools"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ({"service_tier": "standard"}, "service_tier"),
    ],
)  # fmt: skip
def test_what_is_out_of_type_or_range_is_named_by_its_path(body, path):
    with pytest.raises(BadRequest) as caught:
        parse(**body)
    assert isinstance(caught.value, InvalidField | UnknownField)
    assert (caught.value.path or "").startswith(path.removesuffix(".name"))


@pytest.mark.parametrize(
    "body",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
        {"store": True},
        {"truncation": "auto"},
        {"top_logprobs": 2},
        {"max_tool_calls": 3},
        {"moderation": {"model": "m"}},
        {"context_management": [{"type": "compaction"}]},
        {"include": ["reasoning.encrypted_content"]},
        {"include": ["message.output_text.logprobs"]},
        {"reasoning": {"summary": "auto"}},
        {"reasoning": {"generate_summary": "concise"}},
        {"reasoning": {"mode": "pro"}},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "mcp", "server_label": "x", "server_url": "http://x"}]},
        {"tools": [{"type": "custom", "name": "x"}]},
        {"tools": [{**TOOL, "defer_loading": True}]},
        {"tools": [{**TOOL, "output_schema": {}}]},
        {"tool_choice": {"type": "file_search"}},
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}},
        {"stream": True, "stream_options": {"include_obfuscation": True}},
    ],
)
def test_what_is_known_but_not_guarded_is_refused_as_such(body):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse(**body)


def test_what_would_be_kept_here_says_to_send_it_all():
    for body in ({"previous_response_id": "resp_1"}, {"store": True}, {"conversation": "c"}):
        with pytest.raises(Unsupported, match="send the whole conversation"):
            parse(**body)


def test_what_asks_for_nothing_passes():
    neutral = {"store": False, "background": False, "truncation": "disabled", "top_logprobs": 0}
    neutral |= {"include": [], "previous_response_id": None, "context_management": []}
    neutral |= {"reasoning": {"summary": None, "context": "auto"}}
    assert CODEC.encode(parse(**neutral), "e") == CODEC.encode(parse(), "e")


@pytest.mark.parametrize("depth", ["input.0", "tools.0", "text", "reasoning"])
@pytest.mark.parametrize("name", ["mock_response", "api_base", "base_url", "api_key", "cache"])
def test_a_parameter_that_could_redirect_is_unknown_at_any_depth(depth, name):
    said = {"role": "user", "content": "hi"}
    body = {"model": "m", "input": [said], "tools": [TOOL], "text": {}, "reasoning": {}}
    body = orjson.loads(orjson.dumps(body))
    at(body, tuple(int(s) if s.isdigit() else s for s in depth.split(".")))[name] = "x"
    with pytest.raises(UnknownField) as caught:
        RESPONSES.parse("c1", orjson.dumps(body))
    assert caught.value.path == f"{depth}.{name}"


def test_unknown_top_level_fields_wait_for_the_model_and_reach_no_engine_before():
    call = parse(top_k=5, api_base="http://x")
    assert call.unknown == {"top_k": 5, "api_base": "http://x"}
    with pytest.raises(UnknownField):
        CODEC.encode(call, "m")
    with pytest.raises(UnknownField):
        RESPONSES.admit_extra(call, {"top_k": "integer"})
    admitted = RESPONSES.admit_extra(parse(top_k=5), {"top_k": "integer"})
    assert CODEC.encode(admitted, "m")["top_k"] == 5


def test_limits_are_the_operators():
    said = {"role": "user", "content": "hi"}
    strict = OpenAIResponses(Limits(messages=1, tools=0))
    for body in ({"input": [said, said]}, {"tools": [TOOL]}):
        with pytest.raises(InvalidField):
            parse(strict, **body)


def test_rewritten_text_is_what_the_engine_gets_and_what_the_response_says_again():
    call = parse(instructions="mail bob", user="bob")
    after = RESPONSES.rewrite(call, {("instructions",): "mail <P>", ("user",): "<P>"})
    asked = CODEC.encode(after, "e")
    told = orjson.loads(RESPONSES.whole(after, [Chunk((Opened(0), Finished(0, "stop")))]))
    assert (asked["messages"][0]["content"], asked["user"]) == ("mail <P>", "<P>")
    assert (told["instructions"], told["user"]) == ("mail <P>", "<P>")


@given(VALID)
def test_no_string_passes_unless_it_is_a_field_media_or_too_narrow_for_prose(body):
    call = RESPONSES.parse("c1", orjson.dumps(body))
    fields = {part.path: part for passage in call.passages for part in passage.fields}
    for path, value in places(body):
        part = next((fields[path[:n]] for n in range(len(path) + 1) if path[:n] in fields), None)
        if part is not None and part.path == path:
            same = orjson.loads(part.text) if part.form is Form.JSON_VALUE else part.text
            assert same == value
        elif part is None and isinstance(value, str):
            narrow = (MODEL if path == ("model",) else ID) if value else re.compile("")
            media = any(path[:-1] == one.path for one in call.media)
            assert narrow.fullmatch(value) or (media and FILE.pattern.fullmatch(value)), path


@given(VALID)
def test_what_is_valid_can_be_asked_of_a_chat_engine(body):
    call = RESPONSES.parse("c1", orjson.dumps(body))
    unknown: list[str | None] = []
    try:
        OpenAIChat().parse("c2", orjson.dumps(CODEC.encode(call, "engine")))
    except BadRequest as error:
        unknown.append(error.path)
    # The one thing that a valid body can get wrong: a choice among tools that are not there.
    assert all((path or "").startswith("tool_choice.tools.") for path in unknown)


CANARY = "canary bob@corp.example 4111"
ALIEN = JSON | st.just(CANARY) | st.just({CANARY: CANARY}) | st.integers(2**62, 2**70)


def survives(body: bytes) -> None:
    said = ""
    try:
        call = RESPONSES.admit_extra(RESPONSES.parse("c1", body), {})
        CODEC.encode(call, "m")
    except BadRequest as error:
        said = f"{error.path}: {error.message}"
    assert "bob" not in said


@given(broken(VALID, ALIEN))
def test_a_broken_request_gives_a_call_or_a_bad_request_that_repeats_nothing(body):
    try:
        survives(orjson.dumps(body))
    except orjson.JSONEncodeError:
        survives(str(body).replace("'", '"').encode())


@given(JSON | st.dictionaries(st.sampled_from(["input", "model", "tools", "text"]), JSON))
def test_any_json_gives_a_call_or_a_bad_request(body):
    survives(orjson.dumps(body))


def test_errors_have_the_shape_of_the_api():
    body = RESPONSES.error(
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


def client(answer: bytes, sent: list[bytes], kind: str = "application/json") -> openai.OpenAI:
    """The official client, on an engine that always gives this answer."""

    def engine(http: httpx.Request) -> httpx.Response:
        sent.append(http.content)
        return httpx.Response(200, content=answer, headers={"content-type": kind})

    http = httpx.Client(transport=httpx.MockTransport(engine))
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http)


PARTS = (
    Opened(0),
    Text(0, "reasoning_content", Kind.REASONING, "so"),
    Text(0, "content", Kind.TEXT, "hello"),
    ToolOpened(0, 0, "call_1"),
    Text(0, "tool_calls.0.name", Kind.TOOL_NAME, "send_mail"),
    Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, '{"to":"bob"}'),
    Finished(0, "tool_calls"),
    Usage(3, 4),
)


def test_the_official_client_gets_an_answer_and_sends_it_back_with_the_tools_result():
    sent: list[bytes] = []
    answer = RESPONSES.whole(parse(), [Chunk(PARTS)])
    with client(answer, sent) as asking:
        first = asking.responses.create(model="m", input="hi", tools=[TOOL])  # type: ignore[list-item]
        assert first.output_text == "hello"
        asking.responses.create(
            model="m",
            store=False,
            input=[
                {"role": "user", "content": "hi"},
                *first.output,  # type: ignore[list-item]
                {"type": "function_call_output", "call_id": "call_1", "output": "sent"},
            ],
        )
    asked = CODEC.encode(RESPONSES.parse("c2", sent[1]), "m")
    called = {"name": "send_mail", "arguments": '{"to":"bob"}'}
    assert asked["messages"] == [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": "hello",
            "reasoning_content": "so",
            "tool_calls": [{"id": "call_1", "type": "function", "function": called}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sent"},
    ]


def test_what_the_official_client_streamed_can_be_sent_back_too():
    sent: list[bytes] = []
    writer = RESPONSES.writer(parse(stream=True))
    events = writer.event(Chunk(PARTS)) + writer.done("x")
    with client(events, sent, "text/event-stream") as asking:
        with asking.responses.stream(model="m", input="hi") as stream:
            final = stream.get_final_response()
        with asking.responses.stream(model="m", input=final.output) as stream:  # type: ignore[arg-type]
            stream.until_done()
    first, again = (RESPONSES.parse("c2", body) for body in sent)
    assert first.stream
    assert {p.text for p in again.passages} == {"so", "hello", "send_mail", '{"to":"bob"}'}


@settings(max_examples=20)
@given(PROSE)
def test_what_the_official_client_sends_is_taken_and_forwarded(text):
    sent: list[bytes] = []
    answer = RESPONSES.whole(parse(), [Chunk(PARTS)])
    with client(answer, sent) as asking:
        asking.responses.create(
            model="mock~tokens=4",
            instructions=text,
            input=[{"role": "user", "content": [{"type": "input_text", "text": text}]}],
            tools=[TOOL],  # type: ignore[list-item]
            tool_choice={
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "send_mail"}],
            },
            max_output_tokens=7,
            reasoning={"effort": "low"},
            text={"format": {"type": "json_schema", "name": "a", "schema": {}}},
            store=False,
        )
    asked = CODEC.encode(RESPONSES.parse("c1", sent[0]), "engine")
    assert [m["content"] for m in asked["messages"]] == ([text, text] if text else [text])
    assert asked["tools"][0]["function"]["name"] == "send_mail"
    assert (asked["tool_choice"], asked["max_tokens"]) == ("required", 7)
    assert asked["reasoning_effort"] == "low"
    Response.model_validate(orjson.loads(answer), strict=True)
