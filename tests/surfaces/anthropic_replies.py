"""What engines of the Messages dialect answer, drawn at random; and how its official client reads a stream."""

from typing import Any

import orjson
from anthropic.lib.streaming._messages import accumulate_event
from hypothesis import strategies as st

from gateway.surfaces import census
from gateway.surfaces.anthropic_blocks import TOOL_NAME
from tests.surfaces.from_census import JSON, PROSE, matching

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_BLOCKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}),
    st.fixed_dictionaries(
        {"type": st.just("thinking"), "thinking": WORDS, "signature": st.just("c2ln")}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": matching(census.ID),
            "name": matching(TOOL_NAME),
            "input": st.dictionaries(PROSE, JSON, max_size=2),
        }
    ),
)
_REASONS = st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal"])
_COUNT = st.integers(0, 10**9)
_USAGE = st.fixed_dictionaries(
    {"input_tokens": _COUNT, "output_tokens": _COUNT},
    optional={
        "cache_read_input_tokens": st.integers(1, 10**6),
        "cache_creation_input_tokens": st.integers(1, 10**6),
        "output_tokens_details": st.fixed_dictionaries({"thinking_tokens": _COUNT}),
    },
)
REPLIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "id": st.just("msg_1"),
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": st.just("engine-model"),
        "content": st.lists(_BLOCKS, max_size=4),
        "stop_reason": _REASONS,
        "stop_sequence": st.none(),
        "usage": _USAGE,
    }
)
"""What an engine answers, whole."""


@st.composite
def _streams(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    reply = draw(REPLIES)
    usage = {**reply["usage"], "output_tokens": 1}
    start = {**reply, "content": [], "stop_reason": None, "usage": usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(reply["content"]):
        events += ({**event, "index": index} for event in _of_block(draw, block))
    ended = {"stop_reason": reply["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": reply["usage"]})
    return reply, [*events, {"type": "message_stop"}]


STREAMS = _streams()
"""A whole reply, and the same as the events of a stream, cut anywhere."""


def _of_block(draw: st.DrawFn, block: dict[str, Any]) -> list[dict[str, Any]]:
    sort = block["type"]
    if sort == "tool_use":
        empty, name, delta = {"input": {}}, "partial_json", "input_json_delta"
        text = orjson.dumps(block["input"]).decode() if block["input"] else ""
    else:
        empty, name, delta = {sort: ""}, sort, f"{sort}_delta"
        text = block[sort]
    marks = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    pieces = [text[a:b] for a, b in zip([0, *marks], [*marks, len(text)], strict=True)]
    return [
        {"type": "content_block_start", "content_block": {**block, **empty}},
        *(
            {"type": "content_block_delta", "delta": {"type": delta, name: piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop"},
    ]


def sent(written: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each has its own name, and comments stand alone."""
    events: list[dict[str, Any]] = []
    *blocks, rest = written.split(b"\n\n")
    assert rest == b""
    for block in blocks:
        if block.startswith(b": "):
            assert b"\n" not in block
            continue
        name, data = block.split(b"\n")
        event = orjson.loads(data.removeprefix(b"data: "))
        assert name.removeprefix(b"event: ").decode() == event["type"]
        events.append(event)
    return events


def accumulated(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that the official client puts together of these events."""
    message: Any = None
    bytes_of_input: dict[int, bytes] = {}
    for event in events:
        message = accumulate_event(
            event=event,  # type: ignore[arg-type]
            current_snapshot=message,
            json_bufs=bytes_of_input,
        )
    return message.to_dict()
