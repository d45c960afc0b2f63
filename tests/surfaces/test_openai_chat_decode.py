"""What an engine answers becomes Chunks; nothing unlooked-at, mis-shaped or prose-like passes."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamBroken, UpstreamError, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces.openai_chat_decode import event, whole
from tests.surfaces.from_census import JSON, REPLIES, STREAMS, broken

CANARY = "canary bob@corp.example"


def delta(reason: Any = None, **fields: Any):
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}).parts


def reply(reason: Any = "stop", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", **fields}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def tool(index=0, call_id: Any = "call_1", name="send", arguments: Any = "{}"):
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": "function", "function": function}


def test_a_whole_reply_gives_its_parts_in_a_fixed_order():
    body = reply(tool_calls=[tool()], refusal="no", content="well", reasoning_content="hm")
    body["usage"] = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert whole(body).parts == (
        Opened(0),
        Text(0, "reasoning_content", Kind.REASONING, "hm"),
        Text(0, "content", Kind.TEXT, "well"),
        Text(0, "refusal", Kind.REFUSAL, "no"),
        ToolOpened(0, 0, "call_1"),
        Text(0, "tool_calls.0.name", Kind.TOOL_NAME, "send"),
        Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, "{}"),
        Finished(0, "stop"),
        Usage(3, 4),
    )


def test_deltas_give_what_they_add_and_empty_texts_give_nothing():
    assert delta(role="assistant", content="") == (Opened(0),)
    assert delta(content="x") == (Text(0, "content", Kind.TEXT, "x"),)
    assert delta(reasoning="x") == (Text(0, "reasoning", Kind.REASONING, "x"),)
    assert delta(reason="length") == (Finished(0, "length"),)
    assert delta(reason="", content=None, tool_calls=None, function_call=None) == ()
    more = {"index": 2, "function": {"arguments": '{"a'}}
    assert delta(tool_calls=[tool(2, arguments=""), more]) == (
        ToolOpened(0, 2, "call_1"),
        Text(0, "tool_calls.2.name", Kind.TOOL_NAME, "send"),
        Text(0, "tool_calls.2.arguments", Kind.TOOL_ARGUMENTS, '{"a'),
    )


def test_the_usage_event_has_no_choices_and_keeps_numbers_only():
    usage = {
        "prompt_tokens": "10",
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 2, "note_tokens": CANARY, CANARY: 1},
        "completion_tokens_details": None,
        "cost": CANARY,
    }
    assert event({"choices": [], "usage": usage}).parts == (
        Usage(10, 4, {"prompt_tokens_details": {"cached_tokens": 2}}),
    )
    assert event({"choices": [], "usage": None}) == Chunk(())
    assert event({"usage": {"prompt_tokens": 1}}).parts == (Usage(1, 0),)


def test_the_envelope_keeps_what_looks_like_what_it_is():
    good = {
        "id": "chatcmpl-0123456789abcdef",
        "created": 5,
        "system_fingerprint": "fp_0123abcd",
        "service_tier": "default",
    }
    assert event({"choices": [], **good}).envelope == good
    bad = {"id": CANARY, "created": "5", "system_fingerprint": ["x"], "service_tier": CANARY}
    assert event({"choices": [], "model": "m", "object": CANARY, **bad}).envelope == {}


def test_unknown_fields_are_dropped():
    body = reply(content="x", annotations=[CANARY], reasoning_details=CANARY)
    body["choices"][0]["logprobs"] = {"content": [{"token": CANARY}]}
    assert CANARY not in str(whole({**body, "prompt": CANARY}))
    assert CANARY not in str(delta(thought=CANARY, content="x"))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"), ("eos_token", "stop"), (CANARY, "stop"),
    ],
)  # fmt: skip
def test_only_known_reasons_leave(said, meant):
    assert delta(reason=said) == (Finished(0, meant),)
    assert whole(reply(reason=said)).parts[-1] == Finished(0, meant)


def test_a_whole_reply_without_a_reason_stopped():
    assert whole(reply(reason=None)).parts[-1] == Finished(0, "stop")


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_an_abandoned_answer_is_no_end(reason):
    with pytest.raises(UpstreamBroken):
        delta(reason=reason)


def test_an_id_that_could_be_prose_becomes_a_hash_and_a_missing_one_stays_open():
    (opened, *_) = delta(tool_calls=[tool(call_id=CANARY)])
    assert isinstance(opened, ToolOpened)
    assert opened.id.startswith("call_")
    assert "bob" not in opened.id
    assert opened == delta(tool_calls=[tool(call_id=CANARY)])[0]
    assert delta(tool_calls=[tool(call_id=None)])[0] == ToolOpened(0, 0, "")


def test_engines_may_leave_out_indices_write_them_as_strings_and_send_arguments_as_objects():
    calls = [
        {"id": "a", "function": {"name": "x", "arguments": {"k": 1}}},
        {"id": "b", "index": "1"},
    ]
    assert whole(reply(tool_calls=calls)).parts[1:-1] == (
        ToolOpened(0, 0, "a"),
        Text(0, "tool_calls.0.name", Kind.TOOL_NAME, "x"),
        Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, '{"k":1}'),
        ToolOpened(0, 1, "b"),
    )


def test_arguments_that_are_an_empty_object_stay_json():
    for parts in (
        whole(reply(tool_calls=[tool(arguments={})])).parts,
        delta(tool_calls=[tool(arguments={})]),
    ):
        assert Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, "{}") in parts


def test_the_calls_of_a_whole_reply_are_as_many_as_it_lists_whatever_their_index_says():
    parts = whole(reply(tool_calls=[tool(0, "c1"), tool(0, "c2")])).parts
    assert [part for part in parts if isinstance(part, ToolOpened)] == [
        ToolOpened(0, 0, "c1"),
        ToolOpened(0, 1, "c2"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": {"message": CANARY}},
        {"error": CANARY, "choices": []},
        {"choices": CANARY},
        {"choices": [CANARY]},
        {"choices": [{"index": 0}]},
        {"choices": [{"index": 0, "message": CANARY}]},
        {"choices": [{"index": -1, "message": {}}]},
        {"choices": [{"index": CANARY, "message": {}}]},
        {"choices": [{"index": 10**6, "message": {}}]},
        {"choices": [], "usage": CANARY},
        {"choices": [], "usage": {"prompt_tokens": CANARY}},
        {"choices": [], "usage": {"prompt_tokens": -1}},
        reply(content=[{"type": "text", "text": CANARY}]),
        reply(content={"text": CANARY}),
        reply(refusal=5),
        reply(reason=5),
        reply(audio={"transcript": CANARY}),
        reply(function_call={"name": "x", "arguments": CANARY}),
        reply(tool_calls=CANARY),
        reply(tool_calls=[CANARY]),
        reply(tool_calls=[{"type": "custom", "custom": {"input": CANARY}}]),
        reply(tool_calls=[{"function": CANARY}]),
        reply(tool_calls=[{"id": 5, "function": {}}]),
        reply(tool_calls=[{"function": {"name": [CANARY]}}]),
        reply(tool_calls=[{"function": {"name": "x", "arguments": [CANARY]}}]),
    ],
)
def test_a_wrong_shape_is_a_failed_upstream_and_is_not_repeated(body):
    with pytest.raises(UpstreamFailed) as caught:
        whole(body)
    assert "canary" not in caught.value.message


@given(broken(REPLIES, JSON))
def test_a_broken_reply_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        with contextlib.suppress(UpstreamError):
            assert isinstance(whole(body), Chunk)


@given(broken(STREAMS.map(lambda both: both[1][0]), JSON) | st.dictionaries(st.text(), JSON))
def test_a_broken_event_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        with contextlib.suppress(UpstreamError):
            assert isinstance(event(body), Chunk)
