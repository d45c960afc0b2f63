"""The typed events, as the official client reads and adds them up, beside the whole."""

from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.responses import (
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseTextDeltaEvent,
)
from openai.types.responses import ResponseErrorEvent, ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.core.model import Call, Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces.openai_responses import OpenAIResponses
from tests.services.replies import chunked, cut_up, replies

RESPONSES = OpenAIResponses(now=lambda: 1700000000)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def call():
    return Call("c1", "openai.responses", "alias", {"model": "alias", "input": "hi"}, (), True)


def said(text, slot="content", kind=Kind.TEXT):
    return Text(0, slot, kind, text)


def thought(text):
    return said(text, "reasoning_content", Kind.REASONING)


def streamed(chunks, comment="x-wardgate-action: allow") -> bytes:
    writer = RESPONSES.writer(call())
    return b"".join(map(writer.event, chunks)) + writer.done(comment)


def read(stream: bytes) -> list[dict[str, Any]]:
    """The events, each checked against the published types and against its own name."""
    events: list[dict[str, Any]] = []
    for block in stream.split(b"\n\n")[:-1]:
        if block.startswith(b": "):
            continue
        name, data = block.split(b"\n")
        event = orjson.loads(data.removeprefix(b"data: "))
        assert name.decode() == f"event: {event['type']}"
        EVENT.validate_python(event, strict=True)
        events.append(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def test_a_part_that_opens_without_text_keeps_its_place():
    chunks = [Chunk((thought(""), said("well"))), Chunk((thought("hm"), Finished(0, "stop")))]
    events = read(streamed(chunks))

    assert [event["delta"] for event in events if event["type"].endswith(".delta")] == [
        "well",
        "hm",
    ]
    reasoning, message = events[-1]["response"]["output"]
    assert reasoning["content"][0]["text"] == "hm"
    assert message["content"][0]["text"] == "well"


def names(events):
    return [event["type"].removeprefix("response.") for event in events]


def added_up(events) -> list[dict[str, Any]]:
    """The output as it grows from deltas alone, which every `done` has to agree with."""
    items: list[dict[str, Any]] = []
    for event in events:
        kind, at = event["type"].removeprefix("response."), event.get("output_index")
        if kind == "output_item.added":
            assert at == len(items)
            assert event["item"].pop("status") == "in_progress"
            items.append(event["item"])
        elif kind == "content_part.added":
            assert (event["item_id"], event["content_index"]) == (
                items[at]["id"],
                len(items[at]["content"]),
            )
            items[at]["content"].append(event["part"])
        elif kind.endswith((".delta", ".done")):
            _add(items[at], event, *kind.rsplit(".", 1))
    return items


FIELDS = {"output_text": "text", "reasoning_text": "text", "refusal": "refusal"}


def _add(item, event, about, step):
    if about == "output_item":
        assert {**item, "status": event["item"]["status"]} == event["item"]
        return
    assert event["item_id"] == item["id"]
    holder = item if about == "function_call_arguments" else item["content"][event["content_index"]]
    field = FIELDS.get(about, "arguments")
    if about == "content_part":
        assert event["part"] == holder
    elif step == "delta":
        assert event["delta"]
        holder[field] += event["delta"]
    else:
        assert event[field] == holder[field]


CALLED = (
    ToolOpened(0, 0, "call_1"),
    said("send", "tool_calls.0.name", Kind.TOOL_NAME),
    said('{"to":', "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS),
    said('"bob"}', "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS),
)


def test_a_plain_answer_has_the_events_of_the_published_dialect_in_their_order():
    parts = (Opened(0), said("he"), said("llo"), Finished(0, "stop"), Usage(1, 2))
    events = read(streamed(chunked(parts, [2])))
    assert names(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [events[0]["response"][name] for name in ("status", "output", "usage")] == [
        "in_progress",
        [],
        None,
    ]


def test_the_comment_is_one_line_before_the_last_event_and_nothing_follows_it():
    stream = streamed([Chunk((said("x"),))], "a\n\ndata: b")
    *_, comment, last, end = stream.split(b"\n\n")
    assert comment == b": a data: b"
    assert last.startswith(b"event: response.completed\n")
    assert (end, b"[DONE]" in stream) == (b"", False)


def test_text_leaves_with_the_event_that_brings_it_and_the_rest_at_the_end():
    writer = RESPONSES.writer(call())
    assert names(read(writer.event(Chunk(())))) == ["created", "in_progress"]
    assert writer.event(Chunk(())) == b""
    assert b'"delta":"now"' in writer.event(Chunk((said("now"),)))
    assert b".done" not in writer.event(Chunk((Finished(0, "stop"),)))


def test_texts_that_come_interleaved_find_their_place_in_items_that_stay_open():
    parts = (thought("a"), said("b"), *CALLED[:3], thought("c"), said("d"), CALLED[3])
    events = read(streamed([Chunk((part,)) for part in parts]))
    deltas = [
        (event["output_index"], event.get("content_index"), event["delta"])
        for event in events
        if event["type"].endswith(".delta")
    ]
    assert deltas == [
        (0, 0, "a"),
        (1, 0, "b"),
        (2, None, '{"to":'),
        (0, 0, "c"),
        (1, 0, "d"),
        (2, None, '"bob"}'),
    ]
    assert [item["type"] for item in added_up(events)] == ["reasoning", "message", "function_call"]


def test_a_refusal_beside_words_is_a_part_of_its_own_and_is_announced():
    parts = (said("wel"), said("no", "refusal", Kind.REFUSAL), said("l"), thought("a"))
    more = said("b", "reasoning", Kind.REASONING)
    events = read(streamed([Chunk((*parts, more))]))
    message, reasoning = added_up(events)
    assert [part.get("text") or part["refusal"] for part in message["content"]] == ["well", "no"]
    assert [part["text"] for part in reasoning["content"]] == ["a", "b"]
    assert names(events).count("content_part.added") == 4
    assert names(events).count("refusal.done") == 1


def test_a_call_is_announced_with_its_whole_name():
    cut = (CALLED[0], said("se", *_name()), said("nd", *_name()), *CALLED[2:])
    events = read(streamed([Chunk((part,)) for part in cut]))
    (added,) = [event["item"] for event in events if event["type"].endswith("item.added")]
    assert (added["name"], added["call_id"], added["arguments"]) == ("send", "call_1", "")


def _name():
    return "tool_calls.0.name", Kind.TOOL_NAME


@pytest.mark.parametrize(
    ("reason", "last"),
    [("stop", "completed"), ("length", "incomplete"), ("content_filter", "incomplete")],
)
def test_the_last_event_says_how_the_answer_ended(reason, last):
    assert names(read(streamed([Chunk((said("x"), Finished(0, reason)))])))[-1] == last


def test_a_stream_without_any_text_begins_and_ends():
    assert names(read(RESPONSES.writer(call()).done("x"))) == [
        "created",
        "in_progress",
        "completed",
    ]


def test_text_cannot_break_out_of_its_event():
    nasty = "a\n\nevent: error\ndata: {}\n\n\u2028"
    assert added_up(read(streamed([Chunk((said(nasty),))])))[0]["content"][0]["text"] == nasty


def test_an_error_is_the_published_event_and_the_one_the_official_client_raises_for():
    writer = RESPONSES.writer(call())
    begun = writer.event(Chunk((said("x"),)))
    error = writer.error(kind="server_error", code="upstream_broken", message="It broke.")
    event = read(begun + error)[-1]
    ResponseErrorEvent.model_validate(event, strict=True)
    assert event == {
        "type": "error",
        "sequence_number": 5,
        "code": "upstream_broken",
        "message": "It broke.",
        "param": None,
        "error": {
            "type": "server_error",
            "code": "upstream_broken",
            "message": "It broke.",
            "param": None,
        },
    }
    with (
        pytest.raises(openai.APIError, match="It broke"),
        asked(begun + error) as client,
        client.responses.create(model="alias", input="hi", stream=True) as stream,
    ):
        list(stream)


def asked(body: bytes) -> openai.OpenAI:
    """The official client, in front of this very stream."""
    sse = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers=sse))
    http = httpx.Client(transport=transport)
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http)


@given(replies, st.lists(st.integers(0, 4), max_size=8), st.integers(1, 3))
def test_the_events_add_up_to_the_whole_however_they_are_cut(parts, sizes, size):
    whole = orjson.loads(RESPONSES.whole(call(), [Chunk(tuple(parts))]))
    events = read(streamed(chunked(cut_up(parts, size), sizes)))
    assert events[-1]["response"] == whole
    told = [{k: v for k, v in item.items() if k != "status"} for item in whole["output"]]
    assert added_up(events) == told


@settings(max_examples=30)
@given(replies, st.lists(st.integers(0, 4), max_size=8))
def test_the_official_clients_own_accumulator_reads_the_stream(parts, sizes):
    body = streamed(chunked(parts, sizes))
    whole = orjson.loads(RESPONSES.whole(call(), [Chunk(tuple(parts))]))
    snapshots: dict[int, str] = {}
    with (
        asked(body) as client,
        client.responses.stream(model="alias", input="hi") as stream,
    ):
        for event in stream:
            if isinstance(event, ResponseTextDeltaEvent | ResponseFunctionCallArgumentsDeltaEvent):
                snapshots[event.output_index] = event.snapshot
        final = stream.get_final_response()
    assert [item.type for item in final.output] == [item["type"] for item in whole["output"]]
    assert final.output_text == "".join(
        item["content"][0]["text"] for item in whole["output"] if item["type"] == "message"
    )
    assert snapshots == {
        at: item.get("arguments") or item["content"][0]["text"]
        for at, item in enumerate(whole["output"])
        if item.get("arguments") or item["type"] == "message"
    }
