"""A Conversation as the body of a chat completion, and what cannot be said there."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from gateway.surfaces.openai_chat_written import BEYOND, OPTIONS, body
from tests.surfaces.from_census import ASCII, PROSE, VALID

CHAT = OpenAIChat()
HI = Turn(Role.USER, (Said("hi"),))
PICTURE = Shown("image", "image/png", "AAAA")


def written(*turns, stream=False, **more):
    return body(Conversation(turns or (HI,), **more), "engine", stream=stream)


def message(*pieces, role=Role.USER, name=None):
    (only,) = written(Turn(role, pieces, name))["messages"]
    return only


def test_the_body_has_the_engines_model_and_no_more_than_was_asked():
    asked = {"model": "engine", "messages": [{"role": "user", "content": "hi"}]}
    assert written() == asked
    assert written(stream=True) == asked | {
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_one_text_is_a_string_and_more_are_parts():
    assert message(Said("hi"), name="bob") == {"role": "user", "content": "hi", "name": "bob"}
    assert message() == {"role": "user", "content": ""}
    parts = message(Said("see"), PICTURE, Said("it"))["content"]
    assert parts == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "it"},
    ]


def test_sound_and_files_are_parts():
    file = Shown("file", "application/pdf", "BBBB", "a.pdf")
    assert message(Shown("audio", "audio/wav", "CCCC"), file)["content"] == [
        {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "wav"}},
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,BBBB", "filename": "a.pdf"},
        },
    ]


def test_an_assistants_turn_is_one_message():
    pieces = (Thought("hm"), Said("a"), Said("b"), Declined("no"), Called("call_1", "f", "{}"))
    assert message(*pieces, role=Role.ASSISTANT) == {
        "role": "assistant",
        "content": "a\n\nb",
        "reasoning_content": "hm",
        "refusal": "no",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        ],
    }
    assert message(role=Role.ASSISTANT)["content"] == ""
    assert message(Called("call_1", "f", "{}"), role=Role.ASSISTANT)["content"] is None


def test_each_answer_of_a_tool_is_a_message_and_a_failure_is_told_in_words():
    two = (Said("a"), Said("b"))
    answers = (
        Answered("call_1", (Said("sent"),)),
        Answered("call_2", (Said("lost"),), failed=True),
        Answered("call_3", (), failed=True),
        Answered("call_4", two, failed=True),
    )
    told = written(Turn(Role.TOOL, answers))["messages"]
    assert {one["role"] for one in told} == {"tool"}
    assert [one["tool_call_id"] for one in told] == ["call_1", "call_2", "call_3", "call_4"]
    assert [one["content"] for one in told] == [
        "sent",
        "Error: lost",
        "Error: ",
        [{"type": "text", "text": text} for text in ("Error:", "a", "b")],
    ]


@pytest.mark.parametrize(
    "turn",
    [
        Turn(Role.SYSTEM, (PICTURE,)),
        Turn(Role.ASSISTANT, (Said("see"), PICTURE)),
        Turn(Role.TOOL, (Answered("call_1", (PICTURE,)),)),
    ],
)
def test_what_is_no_text_is_refused_where_the_dialect_takes_text_alone(turn):
    with pytest.raises(Unsupported, match="no text"):
        written(turn)


def test_tools_the_choice_among_them_and_the_form_of_the_answer():
    asked = written(
        tools=(Tool("a", "b", {"c": 1}, strict=True), Tool("d")),
        tool_choice=ToolChoice("named", "a"),
        format=AnswerFormat({"e": 1}, "f", "g", strict=False),
    )
    assert [tool["function"] for tool in asked["tools"]] == [
        {"name": "a", "description": "b", "parameters": {"c": 1}, "strict": True},
        {"name": "d"},
    ]
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "a"}}
    schema = {"name": "f", "description": "g", "schema": {"e": 1}, "strict": False}
    assert asked["response_format"] == {"type": "json_schema", "json_schema": schema}
    assert written(tool_choice=ToolChoice("required"))["tool_choice"] == "required"
    assert written(format=AnswerFormat())["response_format"] == {"type": "json_object"}
    assert written(format=AnswerFormat({}))["response_format"]["json_schema"]["name"] == "answer"


def test_options_go_by_their_names_and_what_is_not_known_is_refused_by_the_clients():
    assert written(options=(Option("max_tokens", 5, "max_output_tokens"),))["max_tokens"] == 5
    with pytest.raises(Unsupported) as caught:
        written(options=(Option("prediction", {}, "prediction.content"),))
    assert caught.value.path == "prediction.content"


def test_every_option_that_is_written_is_known_to_the_dialect():
    assert set(CHAT.census.fields) >= OPTIONS
    assert not BEYOND & set(CHAT.census.fields)


def grouped(turn: Turn) -> Turn:
    """A turn with its like pieces together and in the dialect's order: there they have one place."""
    if turn.role is not Role.ASSISTANT:
        return turn
    texts = [
        (sort, "".join(piece.text for piece in turn.pieces if isinstance(piece, sort)))
        for sort in (Thought, Declined, Said)
    ]
    kept = [sort(text) for sort, text in texts if text]
    return replace(turn, pieces=(*kept, *(p for p in turn.pieces if isinstance(p, Called))))


@given(VALID)
def test_a_chat_completion_said_and_written_down_again_says_the_same(asked):
    call = CHAT.parse("c1", orjson.dumps(asked))
    try:
        first = CHAT.conversation(call)
        again = CHAT.encode_conversation(first, call, "engine")
    except Unsupported as refused:
        assert refused.path is not None  # noqa: PT017 - that it says where is the point
        return
    second = conversation(CHAT.parse("c2", orjson.dumps(again)).body)
    assert second.turns == tuple(grouped(turn) for turn in plain(first).turns)
    for name in ("tools", "tool_choice", "format"):
        assert getattr(second, name) == getattr(first, name)
    assert {o.name: o.value for o in second.options} == {o.name: o.value for o in first.options}


def plain(said: Conversation) -> Conversation:
    """Nothing said at all is written as an empty text."""
    turns = [
        replace(turn, pieces=turn.pieces or (Said(""),))
        if turn.role in (Role.USER, Role.SYSTEM)
        else replace(turn, pieces=tuple(_answered(piece) for piece in turn.pieces))
        for turn in said.turns
    ]
    return replace(said, turns=tuple(turns))


def _answered(piece: Piece) -> Piece:
    if isinstance(piece, Answered):
        return replace(piece, parts=piece.parts or (Said(""),))
    return piece


TEXTS = st.builds(Said, PROSE)
ID = st.from_regex(r"[a-z0-9_]{1,9}", fullmatch=True, alphabet=ASCII)
NAME = st.from_regex(r"[a-z]{1,9}", fullmatch=True, alphabet=ASCII)
TURNS = st.one_of(
    st.builds(
        Turn,
        st.sampled_from([Role.USER, Role.SYSTEM]),
        st.lists(TEXTS, max_size=3).map(tuple),
    ),
    st.builds(
        Turn,
        st.just(Role.ASSISTANT),
        st.lists(
            TEXTS
            | st.builds(Thought, PROSE)
            | st.builds(Declined, PROSE)
            | st.builds(Called, ID, NAME, PROSE),
            max_size=5,
        ).map(tuple),
    ),
    st.builds(
        Turn,
        st.just(Role.TOOL),
        st.lists(
            st.builds(Answered, ID, st.lists(TEXTS, max_size=2).map(tuple), st.booleans()),
            min_size=1,
            max_size=3,
        ).map(tuple),
    ),
)


@given(st.lists(TURNS, min_size=1, max_size=4))
def test_any_turns_of_text_become_messages_that_the_dialect_takes(turns):
    CHAT.parse("c1", orjson.dumps(written(*turns)))
