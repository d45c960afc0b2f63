"""What clients get as a whole: the official client's own type reads it."""

from typing import Any

import orjson
import pytest
from anthropic.types import Message
from hypothesis import given

from gateway.core.model import Call, Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces import anthropic_decode
from gateway.surfaces.anthropic_render import usage, whole
from tests.surfaces.anthropic_replies import REPLIES

CALL = Call("c1", "anthropic.messages", "alias", {}, ())


def said(text, slot="content", kind=Kind.TEXT, choice=0):
    return Text(choice, slot, kind, text)


def thought(text):
    return said(text, "reasoning_content", Kind.REASONING)


def named(tool, name):
    return said(name, f"tool_calls.{tool}.name", Kind.TOOL_NAME)


def given_to(tool, text):
    return said(text, f"tool_calls.{tool}.arguments", Kind.TOOL_ARGUMENTS)


def message(*parts):
    body = orjson.loads(whole(CALL, [Chunk(parts)]))
    Message.model_validate(body)
    return body


def test_a_message_is_named_by_the_call_and_by_the_clients_word_for_the_model():
    envelope = {"id": "chatcmpl-5", "created": 5}
    chunks = [
        Chunk((Opened(0), said("h")), envelope),
        Chunk((said("i"), Finished(0, "stop"), Usage(3, 4))),
    ]
    assert orjson.loads(whole(CALL, chunks)) == {
        "id": "msg_c1",
        "type": "message",
        "role": "assistant",
        "model": "alias",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }


def test_blocks_come_in_the_order_in_which_they_begin_as_in_a_stream():
    content = message(
        ToolOpened(0, 1, "t2"),
        named(1, "look"),
        said("well"),
        ToolOpened(0, 0, "t1"),
        named(0, "send"),
        given_to(0, '{"to": "bob"}'),
        thought("hm"),
        said("no", "refusal", Kind.REFUSAL),
    )["content"]
    assert content == [
        {"type": "text", "text": "well"},
        {"type": "tool_use", "id": "t1", "name": "send", "input": {"to": "bob"}},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "no"},
        {"type": "tool_use", "id": "t2", "name": "look", "input": {}},
    ]


def test_input_is_the_very_text_of_the_arguments():
    written = '{"n": 1.50, "n2":123456789012345678901234567890,"t":"\\u00e9"}'
    assert written.encode() in whole(CALL, [Chunk((named(0, "x"), given_to(0, written)))])


@pytest.mark.parametrize("text", ["[1]", '{"a":', "5", "bob", "NaN"])
def test_arguments_that_are_no_object_are_told_as_text(text):
    content = message(named(0, "x"), given_to(0, text))["content"]
    assert content[0]["input"] == {"arguments": text}


def test_a_call_keeps_its_first_id_and_one_without_gets_one():
    content = message(
        ToolOpened(0, 0, "t1"), ToolOpened(0, 0, "t9"), named(0, "x"), ToolOpened(0, 1, "")
    )["content"]
    assert [block["id"] for block in content] == ["t1", "toolu_c1_1"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "end_turn"), ("length", "max_tokens"), ("tool_calls", "tool_use"),
        ("content_filter", "refusal"), ("?", "end_turn"),
    ],
)  # fmt: skip
def test_why_it_stopped_is_told_in_the_dialects_words(reason, told):
    assert message(said("x"), Finished(0, reason))["stop_reason"] == told


def test_an_answer_that_calls_a_tool_never_just_ends():
    assert message(named(0, "x"), Finished(0, "stop"))["stop_reason"] == "tool_use"
    assert message(named(0, "x"), Finished(0, "length"))["stop_reason"] == "max_tokens"


def test_an_answer_of_nothing_is_a_message():
    assert message()["content"] == []
    assert message()["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_another_choice_has_no_place():
    body = message(said("a"), said("b", choice=1), Finished(1, "length"), ToolOpened(1, 0, "t"))
    assert body["content"] == [{"type": "text", "text": "a"}]
    assert body["stop_reason"] == "end_turn"


def test_what_a_cache_read_is_counted_apart():
    detail: dict[str, Any] = {"prompt_tokens_details": {"cached_tokens": 5}}
    assert usage(Usage(8, 2, detail)) == {
        "input_tokens": 3,
        "cache_read_input_tokens": 5,
        "output_tokens": 2,
    }
    assert usage(Usage(2, 0, detail))["input_tokens"] == 0


def known(body: dict[str, Any]) -> dict[str, Any]:
    """What of a message has to arrive: its texts joined by sort, its calls, its end, its counts."""
    content = body["content"]
    calls = [(b["id"], b["name"], b["input"]) for b in content if b["type"] == "tool_use"]
    reason = body["stop_reason"]
    return {
        "text": "".join(b["text"] for b in content if b["type"] == "text"),
        "thinking": "".join(b["thinking"] for b in content if b["type"] == "thinking"),
        "calls": calls,
        "reason": "tool_use" if calls and reason == "end_turn" else reason,
        "usage": body["usage"],
    }


@given(REPLIES)
def test_a_whole_reply_keeps_all_that_is_known(reply):
    written = orjson.loads(whole(CALL, [anthropic_decode.whole(reply)]))
    assert known(written) == known(reply)
    Message.model_validate(written)
