"""What an engine answers to a completions request, drawn: whole, and as the events of a stream."""

from typing import Any

from hypothesis import strategies as st

from tests.surfaces.from_census import PROSE

_COUNT = st.integers(0, 10**9)
_REASONS = st.sampled_from(["stop", "length", "content_filter"])


@st.composite
def _replies(draw: st.DrawFn) -> dict[str, Any]:
    read, written = draw(_COUNT), draw(_COUNT)
    texts = draw(st.lists(PROSE, min_size=1, max_size=4))
    return {
        "id": draw(st.from_regex(r"(chatcmpl|cmpl)-[0-9a-f]{8,32}", fullmatch=True)),
        "object": "text_completion",
        "created": draw(st.integers(0, 2**40)),
        "model": "engine-model",
        "choices": [
            {"index": at, "text": text, "logprobs": None, "finish_reason": draw(_REASONS)}
            for at, text in enumerate(texts)
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
    }


REPLIES = _replies()


@st.composite
def _streams(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    reply = draw(REPLIES)
    lanes = [_pieces(draw, choice) for choice in reply["choices"]]
    head = {name: reply[name] for name in ("id", "object", "created", "model")}
    events: list[dict[str, Any]] = []
    while waiting := [lane for lane in lanes if lane]:
        events.append({**head, "choices": [draw(st.sampled_from(waiting)).pop(0)]})
    return reply, [*events, {**head, "choices": [], "usage": reply["usage"]}]


STREAMS = _streams()
"""A whole reply, and the same as the events of a stream, cut anywhere, choices interleaved."""


def _pieces(draw: st.DrawFn, choice: dict[str, Any]) -> list[dict[str, Any]]:
    """One choice in pieces; its end comes with the last of its text or after it."""
    text = choice["text"]
    marks = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    cuts = zip([0, *marks], [*marks, len(text)], strict=True)
    pieces = [{**choice, "text": text[a:b], "finish_reason": None} for a, b in cuts]
    if draw(st.booleans()):
        pieces.append({**choice, "text": "", "finish_reason": None})
    pieces[-1]["finish_reason"] = choice["finish_reason"]
    return pieces
