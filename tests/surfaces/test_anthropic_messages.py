"""The Messages surface: what a client may send, and what of it reaches the engine."""

import re
from typing import Any

import anthropic
import httpx2
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Form, Kind, Role
from gateway.core.ports import Codec, ModelSurface
from gateway.surfaces.anthropic_blocks import SIGNATURE
from gateway.surfaces.anthropic_messages import AnthropicMessages
from gateway.surfaces.census import ID, MODEL
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.translated import Translated
from tests.surfaces.from_census import JSON, PROSE, at, broken, places, valid

MESSAGES, CHAT = AnthropicMessages(), OpenAIChat()
HI = {"role": "user", "content": "hi"}
VALID = valid(MESSAGES)
TOOL = {"name": "send", "description": "Sends.", "input_schema": {"title": "Bob"}, "strict": True}


def parse(surface: AnthropicMessages = MESSAGES, /, **body: Any):
    base = {"model": "m", "max_tokens": 9, "messages": [HI]}
    return surface.parse("c1", orjson.dumps({**base, **body}))


def test_it_is_a_model_surface_and_a_codec():
    surface: ModelSurface = MESSAGES
    codec: Codec = MESSAGES
    assert (surface.name, surface.asks_model) == ("anthropic.messages", True)
    assert codec.path == "/messages"


def test_the_calls_options_are_read():
    call = parse(stream=True)
    assert (call.id, call.surface, call.model) == ("c1", "anthropic.messages", "m")
    assert (call.stream, call.choices, call.usage_wanted) == (True, 1, True)
    assert not parse(stream=None).stream


def test_every_text_beside_the_messages_becomes_a_passage():
    call = parse(
        tools=[
            TOOL,
            {"type": "custom", "name": "b", "input_schema": {}, "input_examples": [{"a": "x"}]},
        ],
        tool_choice={"type": "tool", "name": "send"},
        output_config={"format": {"type": "json_schema", "schema": {"title": "Al"}}},
        stop_sequences=["END"],
        metadata={"user_id": "bob"},
        user_profile_id="p",
    )
    plain, value, system, user = Form.PLAIN, Form.JSON_VALUE, Role.SYSTEM, Role.USER
    assert {(p.text, p.role, p.kind, p.form) for p in call.passages[1:]} == {
        ("send", system, Kind.TOOL_DEFINITION, plain),
        ("Sends.", system, Kind.TOOL_DEFINITION, plain),
        ('{"title":"Bob"}', system, Kind.TOOL_DEFINITION, value),
        ("b", system, Kind.TOOL_DEFINITION, plain),
        ("{}", system, Kind.TOOL_DEFINITION, value),
        ('{"a":"x"}', system, Kind.TOOL_DEFINITION, value),
        ("send", system, Kind.TOOL_NAME, plain),
        ('{"title":"Al"}', system, Kind.RESPONSE_FORMAT, value),
        ("END", user, Kind.TEXT, plain),
        ("bob", user, Kind.METADATA, plain),
        ("p", user, Kind.METADATA, plain),
    }


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [HI] * 2001}, "messages"),
        ({"messages": [{"role": "root", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "dreaming"}}, "thinking.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tools": [{"name": "a b", "input_schema": {}}]}, "tools.0.name"),
        ({"tools": [{"name": "a"}]}, "tools.0.input_schema"),
        ({"tools": [{"type": "", "name": "a", "input_schema": {}}]}, "tools.0.type"),
        ({"system": 5}, "system"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"stream": 1}, "stream"),
        ({"output_config": {"effort": "most"}}, "output_config.effort"),
        ({"model": "a b"}, "model"),
    ],
)  # fmt: skip
def test_what_is_out_of_type_or_range_is_named_by_its_path(body, path):
    with pytest.raises(InvalidField) as caught:
        parse(**body)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "body",
    [
        {"container": "c"},
        {"container": {"id": "c"}},
        {"diagnostics": {"previous_message_id": "msg_1"}},
        {"inference_geo": "us"},
        {"workspace_id": "w"},
        {"mcp_servers": [{"type": "url", "url": "http://x", "name": "x"}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}]},
        {"tools": [{**TOOL, "allowed_callers": ["code_execution_20260120"]}]},
    ],
)
def test_what_is_known_but_not_guarded_is_refused_as_such(body):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse(**body)


@pytest.mark.parametrize("depth", ["messages.0", "tools.0", "metadata"])
@pytest.mark.parametrize("name", ["mock_response", "api_base", "base_url", "cache"])
def test_a_parameter_that_could_redirect_is_unknown_at_any_depth(depth, name):
    body: dict[str, Any] = {"messages": [dict(HI)], "tools": [dict(TOOL)], "metadata": {}}
    at(body, tuple(int(s) if s.isdigit() else s for s in depth.split(".")))[name] = "x"
    with pytest.raises(UnknownField) as caught:
        parse(**body)
    assert caught.value.path == f"{depth}.{name}"


def test_unknown_top_level_fields_wait_for_the_model_and_reach_no_engine_before():
    call = parse(min_p=0.1)
    assert call.unknown == {"min_p": 0.1}
    with pytest.raises(UnknownField):
        MESSAGES.encode(call, "m")
    with pytest.raises(UnknownField):
        MESSAGES.admit_extra(call, {})
    assert MESSAGES.encode(MESSAGES.admit_extra(call, {"min_p": "number"}), "m")["min_p"] == 0.1


def test_a_rewritten_text_is_what_the_engine_gets():
    call = parse(messages=[HI, {"role": "user", "content": [{"type": "text", "text": "bob"}]}])
    after = MESSAGES.rewrite(call, {("messages", 1, "content", 0, "text"): "<PERSON>"})
    assert MESSAGES.encode(after, "e")["messages"][1]["content"][0]["text"] == "<PERSON>"


def test_limits_are_the_operators():
    strict = AnthropicMessages(Limits(messages=1, tools=0))
    for body in ({"messages": [HI, HI]}, {"tools": [TOOL]}):
        with pytest.raises(InvalidField):
            parse(strict, **body)


def test_what_it_writes_and_reads_is_the_dialects():
    call = parse(stream=True)
    assert b'"type":"message"' in MESSAGES.whole(call, [])
    assert MESSAGES.writer(call).done("x").endswith(b'data: {"type":"message_stop"}\n\n')
    assert not MESSAGES.events().ended
    told = MESSAGES.error(status=404, kind="k", code="model_not_found", message="no", path=None)
    assert orjson.loads(told)["error"]["type"] == "not_found_error"


def test_an_answer_that_is_to_be_gone_on_with_is_refused_by_engines_that_would_answer_it():
    call = parse(messages=[HI, {"role": "assistant", "content": "{"}])
    assert MESSAGES.encode(call, "e")["messages"][1]["content"] == "{"
    with pytest.raises(Unsupported) as caught:
        Translated(MESSAGES, CHAT).encode(call, "e")
    assert caught.value.path == "messages.1"


@given(VALID)
def test_what_is_valid_reaches_the_engine_unchanged_but_for_the_model(body):
    assert MESSAGES.encode(MESSAGES.parse("c1", orjson.dumps(body)), "engine") == {
        **body,
        "model": "engine",
    }


NARROW = re.compile(f"{ID.pattern}|{MODEL.pattern}|{SIGNATURE.pattern}")


@given(VALID)
def test_no_string_passes_unless_it_is_a_field_a_file_or_too_narrow_for_prose(body):
    call = MESSAGES.parse("c1", orjson.dumps(body))
    fields = {part.path: part for passage in call.passages for part in passage.fields}
    for path, value in places(body):
        part = next((fields[path[:n]] for n in range(len(path) + 1) if path[:n] in fields), None)
        if part is not None and part.path == path:
            same = orjson.loads(part.text) if part.form is Form.JSON_VALUE else part.text
            assert same == value
        elif part is None and isinstance(value, str) and path[-1] != "media_type":
            assert not value or NARROW.fullmatch(value), path


CANARY = "canary bob@corp.example 4111"
ALIEN = JSON | st.just(CANARY) | st.just({CANARY: CANARY}) | st.integers(2**62, 2**63)


@given(broken(VALID, ALIEN) | JSON)
def test_any_json_gives_a_call_or_a_bad_request_that_repeats_nothing(body):
    said = ""
    try:
        MESSAGES.admit_extra(MESSAGES.parse("c1", orjson.dumps(body)), {})
    except BadRequest as error:
        said = f"{error.path}: {error.message}"
    assert "bob" not in said


PUBLISHED: Any = TypeAdapter(list[ChatCompletionMessageParam])


@given(VALID)
def test_whatever_is_valid_is_said_to_another_dialect_or_refused_by_name(body):
    call = MESSAGES.parse("c1", orjson.dumps(body))
    refused: Unsupported | None = None
    written: dict[str, Any] = {}
    try:
        written = Translated(MESSAGES, CHAT).encode(call, "e")
    except Unsupported as error:
        refused = error
    if refused:
        path = refused.path
        assert path is None or path.partition(".")[0] in MESSAGES.census.fields
        return
    PUBLISHED.validate_python(written["messages"])
    assert (written["model"], written.get("stream", False)) == ("e", call.stream)
    assert written["max_tokens"] == body["max_tokens"]


@settings(max_examples=20)
@given(PROSE)
def test_what_the_official_client_sends_is_taken_and_forwarded(text):
    sent: list[bytes] = []

    def engine(http: httpx2.Request) -> httpx2.Response:
        sent.append(http.content)
        return httpx2.Response(400, json={})

    with httpx2.Client(transport=httpx2.MockTransport(engine)) as http:
        client = anthropic.Anthropic(
            api_key="k", base_url="http://127.0.0.1", http_client=http, max_retries=0
        )
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(
                model="mock~tokens=4",
                max_tokens=5,
                system=[{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}],
                messages=[
                    {"role": "user", "content": [{"type": "text", "text": text}]},
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "tool_use", "id": "t1", "name": "send", "input": {"a": text}}
                        ],
                    },
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "t1", "content": text}],
                    },
                ],
                tools=[TOOL],  # type: ignore[list-item]
                stop_sequences=[text],
                stream=True,
            )
    call = MESSAGES.parse("c1", sent[0])
    assert MESSAGES.encode(call, call.model) == orjson.loads(sent[0])
