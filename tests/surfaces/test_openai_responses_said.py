"""A `responses` request as a Conversation: whose turn it was, and what each option is called."""

import orjson
import pytest
from hypothesis import given

from gateway.core.conversation import (
    Answered,
    AnswerFormat,
    Called,
    Declined,
    Option,
    Said,
    Shown,
    Thought,
    Tool,
    ToolChoice,
    Turn,
)
from gateway.core.errors import InvalidField
from gateway.core.model import Kind, Role
from gateway.surfaces.openai_responses import OpenAIResponses
from gateway.surfaces.openai_responses_said import conversation
from tests.surfaces.from_census import valid

RESPONSES = OpenAIResponses()


def text(tag, words):
    return {"type": tag, "text": words}


def turns(*items, **body):
    return conversation({"model": "m", "input": list(items), **body}).turns


def called(at):
    return {"type": "function_call", "call_id": f"call_{at}", "name": "send", "arguments": "{}"}


def test_a_string_is_the_users_and_instructions_come_first():
    said = conversation({"model": "m", "input": "hi", "instructions": "be kind"})
    assert said.turns == (
        Turn(Role.SYSTEM, (Said("be kind"),)),
        Turn(Role.USER, (Said("hi"),)),
    )
    assert conversation({"model": "m", "input": "hi", "instructions": ""}).turns == said.turns[1:]


def test_what_an_assistant_said_in_a_row_is_one_turn_and_each_result_is_its_own():
    reasoning = {
        "type": "reasoning",
        "summary": [text("summary_text", "in short")],
        "content": [text("reasoning_text", "at length")],
    }
    refusal = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    answered = {"type": "function_call_output", "call_id": "call_0", "output": "sent"}
    parts = {**answered, "call_id": "call_1", "output": [text("input_text", "a")]}
    assert turns(
        {"role": "user", "content": "hi"},
        reasoning,
        {"role": "assistant", "content": "well"},
        called(0),
        called(1),
        answered,
        parts,
        refusal,
        {"role": "developer", "content": "go on"},
        {"type": "message", "role": "assistant", "content": [text("output_text", "done")]},
    ) == (
        Turn(Role.USER, (Said("hi"),)),
        Turn(
            Role.ASSISTANT,
            (
                Thought("in short"),
                Thought("at length"),
                Said("well"),
                Called("call_0", "send", "{}"),
                Called("call_1", "send", "{}"),
            ),
        ),
        Turn(Role.TOOL, (Answered("call_0", (Said("sent"),)),)),
        Turn(Role.TOOL, (Answered("call_1", (Said("a"),)),)),
        Turn(Role.ASSISTANT, (Declined("no"),)),
        Turn(Role.SYSTEM, (Said("go on"),)),
        Turn(Role.ASSISTANT, (Said("done"),)),
    )


def test_pictures_and_files_keep_their_type_their_data_and_a_files_name():
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,BBBB", "filename": "a"},
    ]
    assert turns({"role": "user", "content": content})[0].pieces == (
        Shown("image", "image/png", "AAAA"),
        Shown("file", "application/pdf", "BBBB", "a"),
    )


def test_options_go_by_core_s_names_and_remember_where_they_stood():
    said = conversation(
        {
            "model": "m",
            "input": "hi",
            "stream": True,
            "store": False,
            "include": [],
            "max_output_tokens": 5,
            "temperature": 0,
            "user": None,
            "parallel_tool_calls": False,
            "reasoning": {"effort": "low", "summary": None},
            "text": {"verbosity": "high"},
            "top_k": 3,
        }
    )
    assert set(map(repr, said.options)) == {
        repr(Option("max_tokens", 5, "max_output_tokens")),
        repr(Option("temperature", 0, "temperature")),
        repr(Option("parallel_tool_calls", False, "parallel_tool_calls")),
        repr(Option("reasoning_effort", "low", "reasoning.effort")),
        repr(Option("verbosity", "high", "text.verbosity")),
        repr(Option("top_k", 3, "top_k")),
    }


TOOLS = [{"type": "function", "name": name, "parameters": None} for name in ("read", "send")]


def test_tools_and_the_choice_among_them():
    tool = {"type": "function", "name": "a", "description": "b", "parameters": {}, "strict": True}
    asked = {"model": "m", "input": "hi"}
    said = conversation({**asked, "tools": [tool]})
    assert (said.tools, said.tool_choice) == ((Tool("a", "b", {}, strict=True),), None)
    assert conversation({**asked, "tool_choice": "required"}).tool_choice == ToolChoice("required")
    named = conversation({**asked, "tool_choice": {"type": "function", "name": "a"}})
    assert named.tool_choice == ToolChoice("named", "a")


def allowing(*names):
    chosen = [{"type": "function", "name": name} for name in names]
    choice = {"type": "allowed_tools", "mode": "required", "tools": chosen}
    return conversation({"model": "m", "input": "hi", "tools": TOOLS, "tool_choice": choice})


def test_tools_that_are_not_allowed_are_kept_from_the_model():
    said = allowing("send", "send")
    assert (said.tools, said.tool_choice) == ((Tool("send"),), ToolChoice("required"))


def test_allowing_a_tool_that_is_not_there_is_an_error_that_says_where():
    with pytest.raises(InvalidField) as caught:
        allowing("send", "bob")
    assert caught.value.path == "tool_choice.tools.1.name"
    assert "bob" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, AnswerFormat()),
        (
            {"type": "json_schema", "name": "a", "schema": {"b": 1}, "strict": True},
            AnswerFormat({"b": 1}, "a", None, strict=True),
        ),
    ],
)
def test_the_form_of_the_answer(given, meant):
    assert conversation({"model": "m", "input": "hi", "text": {"format": given}}).format == meant


SPOKEN = {Kind.TEXT, Kind.REASONING, Kind.REFUSAL, Kind.TOOL_RESULT, Kind.TOOL_ARGUMENTS}


@given(valid(RESPONSES))
def test_everything_said_is_said_again_and_by_whom(body):
    call = RESPONSES.parse("c1", orjson.dumps({**body, "tool_choice": None}))
    told: list[tuple[Role, str]] = []
    for turn in RESPONSES.conversation(call).turns:
        for piece in turn.pieces:
            match piece:
                case Called():
                    told.append((turn.role, piece.arguments))
                case Answered():
                    told += [
                        (turn.role, part.text) for part in piece.parts if isinstance(part, Said)
                    ]
                case Shown():
                    pass
                case _:
                    told.append((turn.role, piece.text))
    looked = [
        (passage.role, part.text)
        for passage in call.passages
        for part in passage.fields
        if part.kind in SPOKEN
    ]
    # Neighbours of one message may be said as one text.
    assert letters(told) == letters(looked)
    assert all(any(role == who and text in said for who, said in told) for role, text in looked)


def letters(told: list[tuple[Role, str]]) -> dict[Role, str]:
    """All that each role says, in alphabetical order."""
    return {
        role: "".join(sorted("".join(text for who, text in told if who == role)))
        for role in {who for who, text in told if text}
    }
