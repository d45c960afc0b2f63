"""What clients get: the official client's own types read it, whole and streamed alike."""

import asyncio
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from gateway.core.model import Call, Chunk, Finished, Kind, Opened, Text, Usage
from gateway.services.inner_gate import stand_in
from gateway.surfaces import openai_completions_decode as decode
from gateway.surfaces.openai_completions_render import event, whole
from tests.factories import make_force, make_rule
from tests.fakes import ScriptedDetector, finds
from tests.services.replies import passed
from tests.surfaces.completion_replies import REPLIES, STREAMS

NOW = 1700000000
CALL = Call("c1", "openai.completions", "alias", {}, (), stream=True)
SILENT = Call("c1", "openai.completions", "alias", {}, (), stream=True, usage_wanted=False)


def said(text: str, choice: int = 0) -> Text:
    return Text(choice, "content", Kind.TEXT, text)


def events(*chunks: Chunk, call: Call = CALL) -> list[dict[str, Any]]:
    written = b"".join(event(call, chunk, NOW) for chunk in chunks)
    lines = written.split(b"\n\n")
    assert lines.pop() == b""
    assert all(line.startswith(b"data: ") for line in lines)
    return [orjson.loads(line[6:]) for line in lines]


def completion(*parts: Any) -> dict[str, Any]:
    return orjson.loads(whole(CALL, [Chunk(parts)], NOW))


def test_a_whole_reply_is_named_and_dated_though_the_engine_said_nothing():
    assert completion(Opened(0), said("hi"), Finished(0, "stop")) == {
        "id": "cmpl-c1",
        "object": "text_completion",
        "created": NOW,
        "model": "alias",
        "choices": [{"index": 0, "text": "hi", "logprobs": None, "finish_reason": "stop"}],
    }


def test_choices_come_in_order_and_a_silent_one_has_no_text():
    body = completion(said("b", 1), Opened(0), Finished(1, "length"), Finished(2, "stop"))
    assert [(c["index"], c["text"], c["finish_reason"]) for c in body["choices"]] == [
        (0, "", "stop"),
        (1, "b", "length"),
        (2, "", "stop"),
    ]


def test_the_policys_message_stands_in_for_every_choice():
    body = completion(*stand_in("Blocked.", "content_filter", 2))
    Completion.model_validate(body)
    assert [(c["text"], c["finish_reason"]) for c in body["choices"]] == [
        ("Blocked.", "content_filter")
    ] * 2


def test_what_arrives_together_leaves_as_one_event_for_each_choice():
    chunk = Chunk((Opened(0), said("h"), said("x", 1), said("i"), Finished(0, "stop"), Usage(1, 2)))
    assert [
        [(c["index"], c["text"], c["finish_reason"]) for c in one["choices"]]
        for one in events(chunk)
    ] == [[(0, "hi", None)], [(1, "x", None)], [(0, "", "stop")], []]


def test_usage_comes_last_and_only_where_it_was_asked_for():
    chunk = Chunk((said("x"), Usage(1, 2, {"prompt_tokens_details": {"cached_tokens": 1}})))
    first, last = events(chunk)
    assert first["usage"] is None
    assert last["usage"]["total_tokens"] == 3
    assert last["usage"]["prompt_tokens_details"] == {"cached_tokens": 1}
    (only,) = events(chunk, call=SILENT)
    assert "usage" not in only
    assert events(Chunk((Usage(1, 2),)), call=SILENT) == []


def test_a_chunk_that_says_nothing_is_no_event():
    assert events(Chunk(()), Chunk((Opened(0),))) == []


def test_text_cannot_break_out_of_its_event():
    (body,) = events(Chunk((said("a\n\ndata: [DONE]\n\n\u2028"),)))
    assert body["choices"][0]["text"] == "a\n\ndata: [DONE]\n\n\u2028"


def known(reply: dict[str, Any]) -> dict[str, Any]:
    return {
        "envelope": (reply["id"], reply["created"]),
        "usage": reply["usage"],
        "choices": [(c["index"], c["text"], c["finish_reason"]) for c in reply["choices"]],
    }


@given(REPLIES)
def test_a_whole_reply_keeps_all_that_is_known(reply):
    written = orjson.loads(whole(CALL, [decode.whole(reply)], NOW))
    assert known(written) == known(reply)
    Completion.model_validate(written)


@st.composite
def joined(draw: st.DrawFn, upstream: list[dict[str, Any]]) -> list[Chunk]:
    """The events decoded, neighbours put together anywhere."""
    chunks = [decode.event(item) for item in upstream]
    while len(chunks) > 1 and draw(st.booleans()):
        at = draw(st.integers(0, len(chunks) - 2))
        both = Chunk(chunks[at].parts + chunks[at + 1].parts, chunks[at].envelope)
        chunks[at : at + 2] = [both]
    return chunks


@given(STREAMS, st.data())
def test_the_events_add_up_to_the_whole_however_they_are_cut_and_put_together(both, data):
    reply, upstream = both
    chunks = data.draw(joined(upstream))
    assert known(added_up(events(*chunks))) == known(reply)
    assert known(orjson.loads(whole(CALL, chunks, NOW))) == known(reply)


@given(STREAMS, st.data())
def test_behind_the_gate_a_stream_still_says_what_the_whole_says(both, data):
    reply, upstream = both
    detector = ScriptedDetector(look=finds("[0-9a-f]+", "pii.hex"))
    force = make_force(make_rule("pii", "redact"), detectors=[detector])
    at_once = asyncio.run(passed(force, [decode.whole(reply)], whole=True))
    streamed = asyncio.run(passed(force, data.draw(joined(upstream))))
    texts = {place: text for place, text in streamed.texts.items() if text}
    assert texts == {place: text for place, text in at_once.texts.items() if text}
    assert streamed.reasons == at_once.reasons


def added_up(written: list[dict[str, Any]]) -> dict[str, Any]:
    """A stream read with the official client's type and put together.

    The type has no place for a choice that goes on, though the API sends `null` there.
    """
    choices: dict[int, dict[str, Any]] = {}
    usage = None
    for item in written:
        ended = [{**c, "finish_reason": c["finish_reason"] or "stop"} for c in item["choices"]]
        Completion.model_validate({**item, "choices": ended})
        usage = item["usage"] or usage
        for piece in item["choices"]:
            choice = choices.setdefault(piece["index"], {**piece, "text": ""})
            choice["text"] += piece["text"]
            choice["finish_reason"] = piece["finish_reason"] or choice["finish_reason"]
    head = {name: written[0][name] for name in ("id", "created")}
    return {**head, "usage": usage, "choices": [choices[index] for index in sorted(choices)]}
