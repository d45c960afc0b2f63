"""What was looked at as one text is one; what was not never runs together on the way to an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from gateway.core.conversation import Called, Conversation, Declined, Piece, Said, Thought
from gateway.core.model import Call
from gateway.surfaces import anthropic_said, openai_chat_written, openai_responses_said
from gateway.surfaces.adjacent import as_one
from gateway.surfaces.anthropic_messages import AnthropicMessages
from gateway.surfaces.openai_responses import OpenAIResponses

HI = {"role": "user", "content": "hi"}
ONE, OTHER = "write to john.doe", "@example.org today"
FUSED = ONE + OTHER


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([Said("a"), Said("b"), Said("")], [Said("ab")]),
        ([Thought("a"), Thought("b"), Said("c")], [Thought("ab"), Said("c")]),
        ([Said("a"), Thought("b"), Said("c")], [Said("a"), Thought("b"), Said("c")]),
        ([Said("a"), Declined("b"), Declined("c")], [Said("a"), Declined("bc")]),
        ([Called("1", "f", "{}"), Called("2", "f", "{}")],) * 2,
        ([], []),
    ],
)
def test_neighbours_of_one_sort_are_one(pieces: Sequence[Piece], expected: Sequence[Piece]) -> None:
    assert list(as_one(pieces)) == expected


def _told(parts: Sequence[str], tag: str) -> list[dict[str, Any]]:
    return [{"type": tag, "text": part} for part in parts]


def _thought(**lists: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], **lists}


CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESPONSES = {
    "a summary and its reasoning": [
        _thought(summary=_told([ONE], "summary_text"), content=_told([OTHER], "reasoning_text"))
    ],
    "two items of reasoning": [
        _thought(content=_told([ONE], "reasoning_text")),
        _thought(content=_told([OTHER], "reasoning_text")),
    ],
    "two answers": [
        {"role": "assistant", "content": ONE},
        {"role": "assistant", "content": OTHER},
    ],
    "answers around a call": [
        {"role": "assistant", "content": ONE},
        CALL,
        {"role": "assistant", "content": OTHER},
    ],
    "two parts of a summary": [_thought(summary=_told([ONE, OTHER], "summary_text"))],
    "two parts of reasoning": [_thought(content=_told([ONE, OTHER], "reasoning_text"))],
    "two parts of an answer": [
        {"role": "assistant", "content": _told([ONE, OTHER], "output_text")}
    ],
}
TOOL_USE = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
MESSAGES = {
    "texts around a call": [*_told([ONE], "text"), TOOL_USE, *_told([OTHER], "text")],
    "texts around a thought": [
        *_told([ONE], "text"),
        {"type": "thinking", "thinking": "hm", "signature": ""},
        *_told([OTHER], "text"),
    ],
    "two texts": _told([ONE, OTHER], "text"),
    "two thoughts": [
        {"type": "thinking", "thinking": part, "signature": ""} for part in (ONE, OTHER)
    ],
}


def _check(call: Call, said: Conversation) -> None:
    """Whatever the engine would read in one string was looked at in one."""
    looked_at = {passage.text for passage in call.passages}
    written = orjson.dumps(openai_chat_written.body(said, "m", stream=False)["messages"]).decode()

    assert ONE in written
    assert OTHER in written
    assert (FUSED in written) == (FUSED in looked_at)


@pytest.mark.parametrize("name", RESPONSES)
def test_what_responses_say_apart_is_not_run_together(name: str) -> None:
    body = {"model": "m", "input": [HI, *RESPONSES[name], HI]}
    call = OpenAIResponses().parse("c1", orjson.dumps(body))

    _check(call, openai_responses_said.conversation(call.body))
    assert name.startswith("two parts") == (FUSED in {one.text for one in call.passages})


@pytest.mark.parametrize("name", MESSAGES)
def test_what_messages_say_apart_is_not_run_together(name: str) -> None:
    answer = {"role": "assistant", "content": MESSAGES[name]}
    body = {"model": "m", "max_tokens": 9, "messages": [HI, answer, HI]}
    call = AnthropicMessages().parse("c1", orjson.dumps(body))

    _check(call, anthropic_said.conversation(call.body))
    assert name.startswith("two") == (FUSED in {one.text for one in call.passages})
