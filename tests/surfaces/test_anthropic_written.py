"""A conversation of another dialect as a Messages call; and what Messages cannot say."""

from typing import Any

import anthropic.types as sdk
import orjson
import pytest
from hypothesis import given
from pydantic import TypeAdapter

from gateway.core.conversation import (
    Answered,
    AnswerFormat,
    Called,
    Conversation,
    Declined,
    Option,
    Said,
    Shown,
    Thought,
    Tool,
    ToolChoice,
    Turn,
)
from gateway.core.errors import Unsupported
from gateway.core.model import Role
from gateway.surfaces.anthropic_messages import AnthropicMessages
from gateway.surfaces.anthropic_written import body
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.translated import Translated
from tests.surfaces.from_census import VALID

HI = Turn(Role.USER, (Said("hi"),))
MESSAGES, CHAT = AnthropicMessages(), OpenAIChat()


def written(*turns: Turn, stream: bool = False, **said: Any) -> dict[str, Any]:
    return body(Conversation(turns or (HI,), **said), "e", stream=stream)


def messages(*turns: Turn) -> list[dict[str, Any]]:
    return written(*turns)["messages"]


def asked(name: str, value: Any, **said: Any) -> dict[str, Any]:
    return written(options=(Option(name, value, f"{name}.there"),), **said)


def test_a_plain_question_has_the_limit_that_the_dialect_asks_for():
    assert written() == {
        "model": "e",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "hi"}],
    }
    assert written(stream=True)["stream"] is True


def test_all_that_the_system_says_stands_apart():
    told = written(
        Turn(Role.SYSTEM, (Said("be "), Said("kind"))), HI, Turn(Role.SYSTEM, (Said("be brief"),))
    )
    assert told["system"] == "be kind\n\nbe brief"
    assert told["messages"] == [{"role": "user", "content": "hi"}]


def test_turns_of_one_side_become_one_and_tools_answers_are_their_users():
    assert messages(
        HI,
        Turn(Role.ASSISTANT, (Thought("hm"), Declined("no"))),
        Turn(Role.ASSISTANT, (Said("well"), Called("t1", "send", '{"to": 1}'))),
        Turn(Role.TOOL, (Answered("t1", (Said("one"),)),)),
        Turn(Role.TOOL, (Answered("t2", (Said("a"), Said("b")), failed=True),)),
        Turn(Role.USER, (Said("and"), Said(""))),
    ) == [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "no"},
                {"type": "text", "text": "well"},
                {"type": "tool_use", "id": "t1", "name": "send", "input": {"to": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
                {
                    "type": "tool_result",
                    "tool_use_id": "t2",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                    "is_error": True,
                },
                {"type": "text", "text": "and"},
            ],
        },
    ]


def test_an_empty_question_stays_and_an_empty_answer_goes():
    empty = Turn(Role.USER, (Said(""),))
    assert messages(empty) == [{"role": "user", "content": ""}]
    assert messages(empty, Turn(Role.ASSISTANT, ()), HI)[-1] == {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("[1]", {"arguments": "[1]"}),
        ("bob", {"arguments": "bob"}),
    ],
)
def test_arguments_are_an_object_or_its_only_member(text, told):
    turns = (Turn(Role.ASSISTANT, (Called("t1", "send", text),)), HI)
    assert messages(*turns)[0]["content"][0]["input"] == told


def test_pictures_and_papers_are_shown():
    image, pdf = Shown("image", "image/png", "AA"), Shown("file", "application/pdf", "AA", "x.pdf")
    ((shown, paper),) = [one["content"] for one in messages(Turn(Role.USER, (image, pdf)))]
    assert shown["source"] == {"type": "base64", "media_type": "image/png", "data": "AA"}
    assert (paper["type"], paper["title"]) == ("document", "x.pdf")


@pytest.mark.parametrize(
    "turn",
    [
        Turn(Role.USER, (Shown("audio", "audio/wav", "AA"),)),
        Turn(Role.USER, (Shown("image", "image/tiff", "AA"),)),
        Turn(Role.USER, (Shown("file", "text/plain", "AA"),)),
        Turn(Role.USER, (Said("hi"),), name="bob"),
        Turn(Role.SYSTEM, (Said("hi"),), name="bob"),
        Turn(Role.ASSISTANT, (Said("an answer to go on with"),)),
        Turn(Role.SYSTEM, (Said("be kind"),)),
    ],
)
def test_a_turn_that_the_dialect_has_no_words_for_is_refused(turn):
    with pytest.raises(Unsupported) as caught:
        written(turn)
    assert caught.value.path == "messages"
    assert "bob" not in caught.value.message


def test_tools_and_the_choice_among_them_are_told():
    told = written(
        tools=(Tool("a", "A.", {"type": "object"}, strict=True), Tool("b")),
        tool_choice=ToolChoice("named", "a"),
    )
    assert told["tools"] == [
        {"name": "a", "description": "A.", "input_schema": {"type": "object"}, "strict": True},
        {"name": "b", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert told["tool_choice"] == {"type": "tool", "name": "a"}
    for mode, sort in (("auto", "auto"), ("none", "none"), ("required", "any")):
        assert written(tool_choice=ToolChoice(mode))["tool_choice"] == {"type": sort}


def test_one_call_at_a_time_is_part_of_the_choice():
    tools = (Tool("a"),)
    one = {"type": "auto", "disable_parallel_tool_use": True}
    assert asked("parallel_tool_calls", False, tools=tools)["tool_choice"] == one
    none = asked("parallel_tool_calls", False, tools=tools, tool_choice=ToolChoice("none"))
    assert none["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in asked("parallel_tool_calls", True, tools=tools)
    assert "tool_choice" not in asked("parallel_tool_calls", False)


def test_the_answers_form_is_a_schema_with_what_was_said_of_it():
    told = written(format=AnswerFormat({"type": "object"}, "who", "A person.", strict=True))
    assert told["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {"description": "A person.", "type": "object"},
    }
    with pytest.raises(Unsupported):
        written(format=AnswerFormat())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("max_tokens", 5, {"max_tokens": 5}),
        ("temperature", 0.5, {"temperature": 0.5}),
        ("top_p", 0.9, {"top_p": 0.9}),
        ("top_k", 3, {"top_k": 3}),
        ("stop", ["END"], {"stop_sequences": ["END"]}),
        ("user", "u", {"metadata": {"user_id": "u"}}),
        ("reasoning_effort", "high", {"output_config": {"effort": "high"}}),
        ("reasoning_effort", "none", {"thinking": {"type": "disabled"}}),
        ("service_tier", "auto", {"service_tier": "auto"}),
        ("service_tier", "default", {"service_tier": "standard_only"}),
        ("n", 1, {}),
        ("frequency_penalty", 0.0, {}),
        ("presence_penalty", 0, {}),
        ("logit_bias", {}, {}),
        ("metadata", {}, {}),
    ],
)
def test_an_option_is_said_in_the_dialects_words(name, value, told):
    assert asked(name, value) == {**written(), **told}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2), ("seed", 0), ("logit_bias", {"5": 1}), ("frequency_penalty", 0.5),
        ("presence_penalty", -1), ("metadata", {"a": "b"}), ("verbosity", "low"),
        ("reasoning_effort", "minimal"), ("service_tier", "flex"), ("guided_json", {}),
        ("safety_identifier", "u"), ("prediction", {}),
    ],
)  # fmt: skip
def test_an_option_that_it_has_no_words_for_is_refused_by_the_clients_path(name, value):
    with pytest.raises(Unsupported) as caught:
        asked(name, value)
    assert caught.value.path == f"{name}.there"


PUBLISHED: Any = TypeAdapter(list[sdk.MessageParam])


@given(VALID)
def test_every_chat_call_is_a_messages_call_or_refused_by_name(call):
    """What is written is what this very surface takes from clients, so the dialect is spoken well."""
    parsed, refused = CHAT.parse("c1", orjson.dumps(call)), ""
    told: dict[str, Any] = {}
    try:
        told = Translated(CHAT, MESSAGES).encode(parsed, "e")
    except Unsupported as error:
        refused = error.path or "nothing"
    if refused:
        assert refused.partition(".")[0] in CHAT.census.fields
        return
    again = MESSAGES.parse("c2", orjson.dumps(told))
    assert again.unknown == {}
    assert again.stream == parsed.stream
    PUBLISHED.validate_python(told["messages"])


def test_a_conversation_comes_back_from_messages_as_it_was_said():
    turns = (
        Turn(Role.SYSTEM, (Said("be kind"),)),
        HI,
        Turn(Role.ASSISTANT, (Thought("hm"), Said("well"), Called("t1", "send", '{"a":1}'))),
        Turn(Role.TOOL, (Answered("t1", (Said("a"), Shown("image", "image/png", "AA"))),)),
        Turn(Role.USER, (Said("and"), Shown("file", "application/pdf", "AA", "x.pdf"))),
    )
    said = Conversation(
        turns,
        tools=(Tool("send", "Sends.", {"type": "object"}, strict=True),),
        tool_choice=ToolChoice("required"),
        format=AnswerFormat({"type": "object"}, strict=True),
        options=(
            Option("max_tokens", 5, "max_tokens"),
            Option("stop", ["END"], "stop_sequences"),
            Option("user", "u", "metadata.user_id"),
            Option("reasoning_effort", "low", "output_config.effort"),
        ),
    )
    told = body(said, "e", stream=False)
    assert MESSAGES.conversation(MESSAGES.parse("c1", orjson.dumps(told))) == said
