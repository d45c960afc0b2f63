"""What an engine streams in the Messages dialect becomes Chunks, and adds up to the whole."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamError, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Part, Text, ToolOpened, Usage
from gateway.surfaces.anthropic_decode import whole
from gateway.surfaces.anthropic_events import MessagesReader
from tests.surfaces.anthropic_replies import STREAMS
from tests.surfaces.from_census import JSON, broken

CANARY = "canary bob@corp.example"
START = {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 3}}}


def block(content: dict[str, Any], index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": content}


def delta(sort: Any, index: Any = 0, **told: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": sort, **told}}


def stop(index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: Any, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


TEXT = block({"type": "text", "text": ""})
TOOL = block({"type": "tool_use", "id": "t1", "name": "send", "input": {}})


def read(*events: dict[str, Any]) -> tuple[Part, ...]:
    """What these events give after a message's start."""
    reader = MessagesReader()
    assert reader.read(START).parts == (Opened(0),)
    return tuple(part for event in events for part in reader.read(event).parts)


def test_a_text_a_thought_and_a_call_grow_by_deltas():
    assert read(
        block({"type": "thinking", "thinking": "", "signature": ""}),
        delta("thinking_delta", thinking="hm"),
        delta("signature_delta", signature=CANARY),
        stop(),
        block({"type": "text", "text": "w"}, 1),
        delta("text_delta", 1, text="ell"),
        delta("citations_delta", 1, citation={"cited_text": CANARY}),
        delta("text_delta", 1, text=""),
        stop(1),
        block({"type": "tool_use", "id": "t1", "name": "send", "input": {}}, 2),
        delta("input_json_delta", 2, partial_json=""),
        delta("input_json_delta", 2, partial_json='{"a":'),
        delta("input_json_delta", 2, partial_json="1}"),
        stop(2),
        end("tool_use", output_tokens=4),
    ) == (
        Text(0, "reasoning_content", Kind.REASONING, "hm"),
        Text(0, "content", Kind.TEXT, "w"),
        Text(0, "content", Kind.TEXT, "ell"),
        ToolOpened(0, 0, "t1"),
        Text(0, "tool_calls.0.name", Kind.TOOL_NAME, "send"),
        Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, '{"a":'),
        Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, "1}"),
        Finished(0, "tool_calls"),
        Usage(3, 4),
    )


def test_calls_are_numbered_among_themselves_and_one_without_input_has_an_empty_one():
    whole_input = block({"type": "tool_use", "id": "t2", "name": "look", "input": {"a": 1}}, 2)
    parts = read(TEXT, stop(), block(TOOL["content_block"], 1), stop(1), whole_input, stop(2))
    assert [part for part in parts if isinstance(part, ToolOpened)] == [
        ToolOpened(0, 0, "t1"),
        ToolOpened(0, 1, "t2"),
    ]
    assert [(part.slot, part.text) for part in parts if isinstance(part, Text)] == [
        ("tool_calls.0.name", "send"),
        ("tool_calls.0.arguments", "{}"),
        ("tool_calls.1.name", "look"),
        ("tool_calls.1.arguments", '{"a":1}'),
    ]


def test_it_ended_with_its_own_last_event_alone():
    reader = MessagesReader()
    for event in (START, {"type": "ping"}, end("end_turn")):
        reader.read(event)
        assert not reader.ended
    assert reader.read({"type": "message_stop"}) == Chunk(())
    assert reader.ended


def test_later_counts_stand_for_earlier_ones_and_what_is_not_told_again_stays():
    usage = {"input_tokens": 9, "cache_read_input_tokens": 1, "output_tokens": 1}
    reader = MessagesReader()
    reader.read({"type": "message_start", "message": {"usage": usage}})
    (told,) = reader.read(end(None, output_tokens=5, input_tokens=None)).parts
    assert told == Usage(10, 5, {"prompt_tokens_details": {"cached_tokens": 1}})


def test_an_event_of_a_new_type_adds_nothing():
    assert read({"type": "message_cheer", "text": CANARY}) == ()


@pytest.mark.parametrize(
    "events",
    [
        [{}],
        [{"type": 5}],
        [{"type": "error", "error": {"message": CANARY}}],
        [START],
        [{"type": "content_block_start", "index": 0}],
        [block({"type": "redacted_thinking", "data": CANARY})],
        [block({"type": CANARY})],
        [block({"type": "text", "text": ""}, -1)],
        [block({"type": "text", "text": ""}, 10**6)],
        [block({"type": "text", "text": ""}, True)],
        [block({"type": "text", "text": [CANARY]})],
        [TEXT, TEXT],
        [delta("text_delta", text=CANARY)],
        [TEXT, delta("text_delta", 1, text=CANARY)],
        [TEXT, stop(), delta("text_delta", text=CANARY)],
        [TEXT, stop(), stop()],
        [TEXT, delta("thinking_delta", thinking=CANARY)],
        [TEXT, delta("input_json_delta", partial_json=CANARY)],
        [TEXT, delta(CANARY, text=CANARY)],
        [TEXT, delta([CANARY])],
        [TEXT, delta("text_delta", text={"x": CANARY})],
        [TEXT, {"type": "content_block_delta", "index": 0, "delta": CANARY}],
        [TOOL, delta("text_delta", text=CANARY)],
        [block({"type": "tool_use", "id": "t1", "input": {}})],
        [
            block({"type": "tool_use", "id": "t1", "name": "x", "input": {"a": 1}}),
            delta("input_json_delta", partial_json="{}"),
        ],
        [end(5)],
        [end(None, output_tokens=CANARY)],
        [{"type": "message_delta", "delta": CANARY}],
        [{"type": "message_delta", "usage": CANARY}],
    ],
)
def test_a_wrong_shape_is_a_failed_upstream_and_is_not_repeated(events):
    with pytest.raises(UpstreamFailed) as caught:
        read(*events)
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    "event", [TEXT, {"type": "message_start", "message": {"content": [{"type": "text"}]}}]
)
def test_a_stream_begins_with_an_empty_message(event):
    with pytest.raises(UpstreamFailed):
        MessagesReader().read(event)


def summed(parts: tuple[Part, ...]) -> dict[str, Any]:
    texts: dict[str, str] = {}
    for part in parts:
        if isinstance(part, Text):
            texts[part.slot] = texts.get(part.slot, "") + part.text
    others = [part for part in parts if not isinstance(part, Text)]
    return {"texts": texts, "others": others}


@given(STREAMS)
def test_a_stream_adds_up_to_the_whole(both):
    reply, events = both
    reader = MessagesReader()
    parts = tuple(part for event in events for part in reader.read(event).parts)
    assert summed(parts) == summed(whole(reply).parts)
    assert reader.ended


@given(broken(STREAMS.map(lambda both: both[1]), JSON) | st.lists(st.dictionaries(st.text(), JSON)))
def test_a_broken_stream_gives_chunks_or_an_upstream_error(events):
    reader = MessagesReader()
    with contextlib.suppress(UpstreamError):
        for event in events if isinstance(events, list) else ():
            if isinstance(event, dict):
                assert isinstance(reader.read(event), Chunk)
