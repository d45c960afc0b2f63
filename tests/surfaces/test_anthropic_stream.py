"""What clients get as a stream: the official client's own accumulator reads it, and it equals the whole."""

from collections.abc import Sequence
from typing import Any

import anthropic
import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Call, Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces.anthropic_events import MessagesReader
from gateway.surfaces.anthropic_render import whole
from gateway.surfaces.anthropic_stream import MessagesWriter
from tests.services.replies import chunked, cut_up, replies
from tests.surfaces.anthropic_replies import STREAMS, accumulated, sent

CALL = Call("c1", "anthropic.messages", "alias", {}, (), stream=True)
COMMENT = "x-wardgate-action: allow"


def said(text, slot="content", kind=Kind.TEXT, choice=0):
    return Text(choice, slot, kind, text)


def thought(text):
    return said(text, "reasoning_content", Kind.REASONING)


def named(tool, name):
    return said(name, f"tool_calls.{tool}.name", Kind.TOOL_NAME)


def given_to(tool, text):
    return said(text, f"tool_calls.{tool}.arguments", Kind.TOOL_ARGUMENTS)


def streamed(*chunks: Chunk) -> bytes:
    writer = MessagesWriter(CALL)
    return b"".join(writer.event(chunk) for chunk in chunks) + writer.done(COMMENT)


def events(*chunks: Chunk) -> list[dict[str, Any]]:
    return sent(streamed(*chunks))


def test_a_block_opens_with_its_first_text_and_all_close_at_the_end():
    assert events(
        Chunk((Opened(0), thought("h"))),
        Chunk((said("w"), said("e"), thought("m"), said("ll"))),
        Chunk((Finished(0, "stop"), Usage(3, 4))),
    ) == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_c1",
                "type": "message",
                "role": "assistant",
                "model": "alias",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "h"},
        },
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "text", "text": ""},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": "well"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "m"},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 3, "output_tokens": 4},
        },
        {"type": "message_stop"},
    ]


def test_a_call_opens_under_its_whole_name():
    written = events(
        Chunk((ToolOpened(0, 0, "t1"), named(0, "se"))),
        Chunk((named(0, "nd"),)),
        Chunk((given_to(0, '{"a"'),)),
        Chunk((given_to(0, ":1}"), Finished(0, "tool_calls"))),
    )
    opening = {"type": "tool_use", "id": "t1", "name": "send", "input": {}}
    assert written[1] == {"type": "content_block_start", "index": 0, "content_block": opening}
    assert [event["delta"]["partial_json"] for event in written[2:4]] == ['{"a"', ":1}"]
    assert accumulated(written)["content"] == [{**opening, "input": {"a": 1}}]
    assert accumulated(written)["stop_reason"] == "tool_use"


def test_calls_open_in_their_order_though_the_first_says_nothing():
    content = accumulated(
        events(
            Chunk((ToolOpened(0, 0, "t1"), named(0, "send"), ToolOpened(0, 1, "t2"))),
            Chunk((named(1, "look"), given_to(1, "{}"), ToolOpened(0, 2, ""), named(2, "go"))),
        )
    )["content"]
    assert [(block["id"], block["name"]) for block in content] == [
        ("t1", "send"),
        ("t2", "look"),
        ("toolu_c1_2", "go"),
    ]


def test_nothing_is_written_for_a_chunk_of_nothing_and_a_stream_of_nothing_is_a_stream():
    writer = MessagesWriter(CALL)
    assert writer.event(Chunk(())) == b""
    ended = sent(writer.done(COMMENT))
    assert [event["type"] for event in ended] == ["message_start", "message_delta", "message_stop"]
    assert accumulated(ended)["stop_reason"] == "end_turn"


def test_counts_that_are_known_at_the_start_are_told_there():
    (start, *_) = events(Chunk((said("x"), Finished(0, "content_filter"), Usage(3, 4))))
    assert start["message"]["usage"] == {"input_tokens": 3, "output_tokens": 0}


def test_the_comment_is_one_line_and_stands_before_the_terminator():
    ended = MessagesWriter(CALL).done("a\n\ndata: b\n: c")
    assert b"\n\n: a data: b : c\n\nevent: message_stop\n" in ended


def test_a_block_that_opens_without_text_keeps_its_place():
    written = events(Chunk((thought(""), said("well"))), Chunk((thought("hm"),)))
    assert [event["delta"] for event in written if event["type"] == "content_block_delta"] == [
        {"type": "text_delta", "text": "well"},
        {"type": "thinking_delta", "thinking": "hm"},
    ]
    thinking, text = accumulated(written)["content"]
    assert (thinking["thinking"], text["text"]) == ("hm", "well")


def test_text_cannot_break_out_of_its_event():
    text = "a\n\nevent: message_stop\ndata: {}\n\n\u2028"
    assert accumulated(events(Chunk((said(text),))))["content"][0]["text"] == text


def test_an_error_ends_a_stream_without_a_terminator():
    written = MessagesWriter(CALL).error(
        kind="upstream_error", code="upstream_broken", message="no"
    )
    assert [event["type"] for event in sent(written)] == ["error"]


def test_another_choice_has_no_place():
    written = events(Chunk((said("a"), said("b", choice=1), Finished(1, "length"))))
    assert accumulated(written)["content"] == [{"type": "text", "text": "a"}]
    assert accumulated(written)["stop_reason"] == "end_turn"


def sums(message: dict[str, Any]) -> dict[str, Any]:
    return {name: message[name] for name in message if name != "stop_details"}


def texts(written: Sequence[dict[str, Any]]) -> dict[int, str]:
    """The text of each block as its deltas add up."""
    found: dict[int, str] = {}
    for event in written:
        if event["type"] == "content_block_delta":
            (text,) = (value for name, value in event["delta"].items() if name != "type")
            found[event["index"]] = found.get(event["index"], "") + text
    return found


@given(replies, st.integers(1, 9), st.lists(st.integers(0, 4), max_size=12))
def test_every_field_of_a_stream_says_the_same_however_it_is_cut(parts, size, sizes):
    one = [part for part in parts if isinstance(part, Usage) or part.choice == 0]
    expected: dict[str, str] = {}
    for part in one:
        if isinstance(part, Text) and not part.slot.endswith(".name"):
            expected[part.slot] = expected.get(part.slot, "") + part.text
    written = events(*chunked(cut_up(parts, size), sizes))
    assert sorted(texts(written).values()) == sorted(expected.values())
    assert {e["index"] for e in written if e["type"] == "content_block_stop"} == set(
        range(sum(event["type"] == "content_block_start" for event in written))
    )


@given(STREAMS, st.lists(st.integers(1, 4), max_size=12))
def test_the_official_accumulator_makes_the_whole_of_a_stream(both, sizes):
    _, upstream = both
    reader = MessagesReader()
    parts = [part for event in upstream for part in reader.read(event).parts]
    chunks = chunked(parts, sizes)
    read = accumulated(events(*chunks))
    assert sums(read) == sums(orjson.loads(whole(CALL, chunks)))


@pytest.mark.parametrize("asked", ["stream", "create"])
def test_the_official_client_reads_both(asked):
    chunks = [
        Chunk((Opened(0), said("hi"), ToolOpened(0, 0, "t1"), named(0, "send"))),
        Chunk((given_to(0, '{"to": "bob"}'), Finished(0, "tool_calls"), Usage(1, 2))),
    ]
    as_stream = asked == "stream"
    body = streamed(*chunks) if as_stream else whole(CALL, chunks)
    kind = "text/event-stream" if as_stream else "application/json"
    answer = httpx2.Response(200, content=body, headers={"content-type": kind})
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: answer)) as http:
        client = anthropic.Anthropic(api_key="k", base_url="http://127.0.0.1", http_client=http)
        request: dict[str, Any] = {
            "model": "alias",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "x"}],
        }
        if as_stream:
            with client.messages.stream(**request) as stream:
                message = stream.get_final_message()
        else:
            message = client.messages.create(**request)
    text, tool = message.content
    assert isinstance(text, anthropic.types.TextBlock)
    assert isinstance(tool, anthropic.types.ToolUseBlock)
    assert (text.text, tool.id, tool.name, tool.input) == ("hi", "t1", "send", {"to": "bob"})
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 2)
