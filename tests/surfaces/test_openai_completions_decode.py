"""What an engine answers becomes Chunks; nothing unlooked-at, mis-shaped or prose-like passes."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamBroken, UpstreamError, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Text, Usage
from gateway.surfaces.openai_completions_decode import event, whole
from tests.surfaces.completion_replies import REPLIES, STREAMS
from tests.surfaces.from_census import JSON, broken

CANARY = "canary bob@corp.example"


def reply(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": "x", "finish_reason": "stop", **fields}]}


def said(text: str, choice: int = 0) -> Text:
    return Text(choice, "content", Kind.TEXT, text)


def test_a_whole_reply_gives_each_choices_opening_text_and_end_then_the_usage():
    body = {
        "id": "cmpl-0123456789ab",
        "created": 5,
        "choices": [
            {"index": 1, "text": "b", "finish_reason": "length"},
            {"index": 0, "text": "", "finish_reason": None},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }
    assert whole(body) == Chunk(
        (
            Opened(1),
            said("b", 1),
            Finished(1, "length"),
            Opened(0),
            Finished(0, "stop"),
            Usage(3, 4),
        ),
        {"id": "cmpl-0123456789ab", "created": 5},
    )


def test_an_event_gives_what_it_adds_and_a_silent_choice_has_begun():
    assert event(reply(finish_reason=None)).parts == (said("x"),)
    assert event(reply(text="", finish_reason=None)).parts == (Opened(0),)
    assert event(reply(text=None)).parts == (Opened(0), Finished(0, "stop"))
    assert event(reply(finish_reason="content_filter")).parts == (
        said("x"),
        Finished(0, "content_filter"),
    )


def test_the_usage_event_may_have_no_choices():
    counted = {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    assert event({"choices": [], **counted}).parts == (Usage(1, 2),)
    assert event(counted).parts == (Usage(1, 2),)


def test_unknown_fields_are_dropped():
    logprobs = {"tokens": [CANARY], "top_logprobs": [{CANARY: 0}]}
    body = reply(logprobs=logprobs, prompt_logprobs=CANARY, stop_reason=CANARY)
    for read in (whole, event):
        assert CANARY not in str(read({**body, "prompt": CANARY, "model": CANARY}))


def test_an_abandoned_answer_is_no_end():
    for read in (whole, event):
        with pytest.raises(UpstreamBroken):
            read(reply(finish_reason="abort"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": {"message": CANARY}, "usage": {}},
        {"choices": CANARY},
        {"choices": [CANARY]},
        reply(text=[CANARY]),
        reply(text={"text": CANARY}),
        reply(text=5),
        reply(index=-1),
        reply(index=CANARY),
        reply(finish_reason=5),
        {**reply(), "usage": CANARY},
    ],
)
def test_a_wrong_shape_is_a_failed_upstream_and_is_not_repeated(body):
    for read in (whole, event):
        with pytest.raises(UpstreamFailed) as caught:
            read(body)
        assert "canary" not in caught.value.message


def test_a_whole_choice_without_a_text_is_of_another_dialect():
    with pytest.raises(UpstreamFailed):
        whole({"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}]})


ANY = JSON | st.just({"choices": [{}]})


@given(broken(REPLIES, ANY) | st.dictionaries(st.sampled_from(["choices", "usage"]), JSON))
def test_any_reply_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        with contextlib.suppress(UpstreamError):
            assert isinstance(whole(body), Chunk)


@given(broken(STREAMS.map(lambda both: both[1][0]), ANY) | st.dictionaries(st.text(), JSON))
def test_any_event_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        with contextlib.suppress(UpstreamError):
            assert isinstance(event(body), Chunk)
