"""What an engine answers as a message becomes Chunks; nothing unlooked-at, mis-shaped or prose-like passes."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamError, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces.anthropic_decode import counted, whole
from tests.surfaces.anthropic_replies import REPLIES
from tests.surfaces.from_census import JSON, broken

CANARY = "canary bob@corp.example"


def reply(*content: Any, reason: Any = "end_turn", **more: Any) -> dict[str, Any]:
    return {"type": "message", "content": list(content), "stop_reason": reason, **more}


def tool(**changes: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t1", "name": "send", "input": {"to": 1}, **changes}


def test_a_whole_reply_gives_its_blocks_in_order():
    body = reply(
        {"type": "thinking", "thinking": "hm", "signature": CANARY},
        {"type": "text", "text": "we", "citations": [{"cited_text": CANARY}]},
        tool(caller={"type": CANARY}),
        {"type": "text", "text": "ll"},
        tool(id="t2", name="look", input={}),
        reason="tool_use",
        usage={"input_tokens": 3, "output_tokens": 4},
    )
    assert whole(body).parts == (
        Opened(0),
        Text(0, "reasoning_content", Kind.REASONING, "hm"),
        Text(0, "content", Kind.TEXT, "we"),
        ToolOpened(0, 0, "t1"),
        Text(0, "tool_calls.0.name", Kind.TOOL_NAME, "send"),
        Text(0, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, '{"to":1}'),
        Text(0, "content", Kind.TEXT, "ll"),
        ToolOpened(0, 1, "t2"),
        Text(0, "tool_calls.1.name", Kind.TOOL_NAME, "look"),
        Text(0, "tool_calls.1.arguments", Kind.TOOL_ARGUMENTS, "{}"),
        Finished(0, "tool_calls"),
        Usage(3, 4),
    )


def test_nothing_of_the_envelope_and_no_matched_stop_text_is_kept():
    body = reply(id="msg_1", model=CANARY, stop_sequence=CANARY, reason="stop_sequence")
    assert whole(body) == Chunk((Opened(0), Finished(0, "stop")))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"),
        ("tool_use", "tool_calls"), ("refusal", "content_filter"), ("pause_turn", "stop"),
        ("model_context_window_exceeded", "length"), (CANARY, "stop"), (None, "stop"), ("", "stop"),
    ],
)  # fmt: skip
def test_only_known_reasons_leave(said, meant):
    assert whole(reply(reason=said)).parts[-1] == Finished(0, meant)


def test_the_prompt_is_all_of_it_and_only_counts_are_kept():
    told = {
        "input_tokens": 10,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 2,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3, CANARY: 1},
        "service_tier": CANARY,
    }
    detail = {
        "prompt_tokens_details": {"cached_tokens": 5, "cache_creation_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert whole(reply(usage=told)).parts[-1] == Usage(17, 7, detail)
    assert whole(reply(usage={"input_tokens": None})).parts[-1] == Usage(0, 0)


def test_an_id_that_could_be_prose_becomes_a_hash_and_a_missing_one_stays_open():
    (_, opened, *_) = whole(reply(tool(id=CANARY))).parts
    assert isinstance(opened, ToolOpened)
    assert opened.id.startswith("toolu_")
    assert "bob" not in opened.id
    assert whole(reply(tool(id=None))).parts[1] == ToolOpened(0, 0, "")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "error", "error": {"message": CANARY}},
        {"error": CANARY, "content": []},
        {"content": CANARY},
        reply(CANARY),
        reply({"text": CANARY}),
        reply({"type": [CANARY], "text": "x"}),
        reply({"type": CANARY, "text": "x"}),
        reply({"type": "text", "text": [CANARY]}),
        reply({"type": "thinking", "thinking": 5}),
        reply({"type": "redacted_thinking", "data": CANARY}),
        reply({"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}}),
        reply({"type": "web_search_tool_result", "content": []}),
        reply(tool(name=None)),
        reply(tool(name=[CANARY])),
        reply(tool(id=5)),
        reply(tool(input=CANARY)),
        reply(tool(input=[CANARY])),
        reply(reason=5),
        reply(usage=CANARY),
        reply(usage={"input_tokens": CANARY}),
        reply(usage={"output_tokens": -1}),
        reply(usage={"output_tokens": True}),
    ],
)
def test_a_wrong_shape_is_a_failed_upstream_and_is_not_repeated(body):
    with pytest.raises(UpstreamFailed) as caught:
        whole(body)
    assert "canary" not in caught.value.message


def test_a_count_is_an_empty_reply_to_a_prompt_of_that_size():
    assert counted({"input_tokens": 5, "note": CANARY}) == Chunk(
        (Opened(0), Finished(0, "stop"), Usage(5, 0))
    )


@pytest.mark.parametrize(
    "body",
    [{}, {"input_tokens": CANARY}, {"input_tokens": -1}, {"error": CANARY, "input_tokens": 1}],
)
def test_a_count_that_is_none_is_a_failed_upstream(body):
    with pytest.raises(UpstreamFailed) as caught:
        counted(body)
    assert "canary" not in caught.value.message


@given(broken(REPLIES, JSON) | st.dictionaries(st.text(), JSON))
def test_a_broken_reply_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        for read in (whole, counted):
            with contextlib.suppress(UpstreamError):
                assert isinstance(read(body), Chunk)
