"""A chat completion as a Conversation: what it says in no dialect, and what only this one can say."""

import orjson
import pytest
from hypothesis import given

from gateway.core.conversation import (
    Answered,
    AnswerFormat,
    Called,
    Conversation,
    Declined,
    Option,
    Piece,
    Said,
    Shown,
    Thought,
    Tool,
    ToolChoice,
    Turn,
)
from gateway.core.errors import Unsupported
from gateway.core.model import Role
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.openai_chat_said import conversation
from tests.surfaces.from_census import VALID

CHAT = OpenAIChat()
HI = {"role": "user", "content": "hi"}
CALLED = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "send_mail", "arguments": '{"to": "bob"}'},
}
MARK = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def said(**body) -> Conversation:
    return conversation({"model": "m", "messages": [HI], **body})


def turns(*messages):
    return said(messages=list(messages)).turns


def shown(kind, **held):
    return {"role": "user", "content": [{"type": kind, kind: held}]}


def test_every_message_is_a_turn_of_its_role_with_its_speakers_name():
    assert turns(
        {"role": "system", "content": "be kind", "name": "boss"},
        {"role": "developer", "content": [{"type": "text", "text": "be brief"}]},
        HI,
    ) == (
        Turn(Role.SYSTEM, (Said("be kind"),), "boss"),
        Turn(Role.SYSTEM, (Said("be brief"),)),
        Turn(Role.USER, (Said("hi"),)),
    )


def test_an_assistant_thinks_declines_speaks_and_calls_in_that_order():
    assistant = {"role": "assistant", "reasoning_content": "hm", "refusal": "no"}
    content = [{"type": "text", "text": "well"}, {"type": "refusal", "refusal": "but"}]
    assert turns({**assistant, "content": content, "tool_calls": [CALLED]}) == (
        Turn(
            Role.ASSISTANT,
            (
                Thought("hm"),
                Declined("no"),
                Said("well"),
                Declined("but"),
                Called("call_1", "send_mail", '{"to": "bob"}'),
            ),
        ),
    )
    assert turns({"role": "assistant", "content": "", "tool_calls": None})[0].pieces == ()


def test_reasoning_under_two_names_is_said_once_if_it_is_the_same_and_never_lost():
    def thoughts(one, other):
        message = {"role": "assistant", "reasoning_content": one, "reasoning": other}
        return [piece.text for piece in turns(message)[0].pieces if isinstance(piece, Thought)]

    assert thoughts("hm", "hm") == ["hm"]
    assert thoughts("hm", "so") == ["hm", "so"]
    assert thoughts(None, "so") == ["so"]
    assert thoughts("", None) == []


def test_a_tool_answers_the_call_of_its_id():
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "sent", "name": "send_mail"}
    assert turns(answer) == (Turn(Role.TOOL, (Answered("call_1", (Said("sent"),)),)),)


def test_what_is_no_text_keeps_its_type_its_data_and_a_files_name():
    assert turns(
        shown("image_url", url="data:image/png;base64,AAAA", detail="auto"),
        shown("input_audio", data="BBBB", format="wav"),
        shown("file", file_data="data:application/pdf;base64,CCCC", filename="a.pdf"),
    ) == (
        Turn(Role.USER, (Shown("image", "image/png", "AAAA"),)),
        Turn(Role.USER, (Shown("audio", "audio/wav", "BBBB"),)),
        Turn(Role.USER, (Shown("file", "application/pdf", "CCCC", "a.pdf"),)),
    )


def test_options_keep_their_names_and_a_stop_is_a_list():
    options = said(stop="END", max_completion_tokens=5, seed=1, n=None, logprobs=False).options
    assert set(map(repr, options)) == {
        repr(Option("stop", ["END"], "stop")),
        repr(Option("max_tokens", 5, "max_completion_tokens")),
        repr(Option("seed", 1, "seed")),
    }
    assert said(stop=["A", "B"]).options == (Option("stop", ["A", "B"], "stop"),)


def test_what_only_this_dialect_knows_stays_an_option_by_name():
    assert {option.name for option in said(logit_bias={}, prediction={}, top_k=1).options} == {
        "logit_bias",
        "prediction",
        "top_k",
    }


def test_tools_the_choice_among_them_and_the_form_of_the_answer():
    function = {"name": "a", "description": "b", "parameters": {"c": 1}, "strict": False}
    asked = said(
        tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "a"}},
        response_format={"type": "json_schema", "json_schema": {"name": "d", "schema": {"e": 1}}},
    )
    assert asked.tools == (Tool("a", "b", {"c": 1}, strict=False),)
    assert asked.tool_choice == ToolChoice("named", "a")
    assert asked.format == AnswerFormat({"e": 1}, "d")
    assert said(tool_choice="none").tool_choice == ToolChoice("none")
    assert said(response_format={"type": "json_object"}).format == AnswerFormat()
    assert said(response_format={"type": "text"}).format is None
    bare = {"type": "json_schema", "json_schema": {"name": "d", "schema": None}}
    assert said(response_format=bare).format == AnswerFormat({}, "d")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        (
            {"messages": [HI, shown("image_url", url="data:image/png;base64,", detail="low")]},
            "messages.1.content.0.image_url.detail",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", **MARK}]}]},
            "messages.0.content.0.prompt_cache_breakpoint",
        ),
    ],
)
def test_what_no_other_dialect_can_be_told_is_refused_by_its_path(body, path):
    with pytest.raises(Unsupported) as caught:
        said(**body)
    assert caught.value.path == path


def test_two_names_of_one_limit_that_agree_are_one_option():
    (limit, again) = said(max_tokens=5, max_completion_tokens=5).options
    assert (limit.name, limit.value) == (again.name, again.value) == ("max_tokens", 5)


def words(piece: Piece) -> list[str]:
    match piece:
        case Called():
            return [piece.name, piece.arguments]
        case Answered():
            return [word for part in piece.parts for word in words(part)]
        case Shown():
            return [piece.name] if piece.name else []
        case _:
            return [piece.text]


@given(VALID)
def test_nothing_that_was_looked_at_in_a_message_is_lost_or_refused_silently(body):
    call = CHAT.parse("c1", orjson.dumps(body))
    try:
        told = CHAT.conversation(call)
    except Unsupported as refused:
        assert refused.path  # noqa: PT017 - that it says where is the point
        return
    texts = {word for turn in told.turns for piece in turn.pieces for word in words(piece)}
    texts |= {turn.name for turn in told.turns if turn.name}
    of_tools = {
        f"messages.{at}.name"
        for at, message in enumerate(body["messages"])
        if message["role"] == "tool"
    }
    assert texts >= {
        part.text
        for passage in call.passages
        for part in passage.fields
        if passage.origin.startswith("messages.")
        and passage.origin not in of_tools
        # Refused unless there is nothing in it.
        and not passage.origin.endswith(".provider_specific_fields")
    }
