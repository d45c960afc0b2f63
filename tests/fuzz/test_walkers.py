"""Whatever a client or an engine sends to whatever dialect: an answer or a named refusal, and no leak."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import BadRequest, UpstreamError
from gateway.core.model import Call, Chunk
from gateway.core.ports import Codec, JudgingSurface, ModelSurface, Surface
from gateway.providers.sse import EventParser
from tests.fuzz.spoken import (
    CANARY,
    NAMES,
    ONCE,
    SURFACES,
    canaries,
    chunks,
    codecs,
    judgements,
    marked,
    smallest,
    spoken,
    streams,
)
from tests.surfaces.from_census import JSON, broken, valid

EACH_SURFACE = pytest.mark.parametrize("name", NAMES)
EACH_CODEC = pytest.mark.parametrize(
    ("dialect", "codec"),
    [(surface, codec) for _, surface, codec in ONCE],
    ids=[f"{engine}-{surface}" for engine, surface, _ in ONCE],
)
BIRDS = canaries(None)
FEW = settings(max_examples=max(10, settings().max_examples // 5))
"""Whole bodies of large dialects take a tenth of a second each to make."""


def parsed(surface: Surface, body: bytes) -> Call | BadRequest:
    """Anything else that it raises fails the test."""
    try:
        return surface.admit_extra(surface.parse("call_1", body), {})
    except BadRequest as error:
        return error


def assert_tells_nothing(error: BaseException) -> None:
    """Neither what the client reads nor what a log could get has a canary in it."""
    told: BaseException | None = error
    while told is not None:
        assert CANARY not in f"{told} {vars(told)} {told.args}"
        told = told.__cause__ or told.__context__


@EACH_SURFACE
@given(st.binary() | JSON.map(orjson.dumps))
def test_any_bytes_are_a_call_or_a_bad_request(name: str, body: bytes) -> None:
    assert isinstance(parsed(SURFACES[name], body), Call | BadRequest)


@EACH_SURFACE
def test_any_mutation_of_a_valid_body_is_a_call_or_a_bad_request(name: str) -> None:
    surface = SURFACES[name]
    said = valid(spoken(name), canaries)

    @FEW
    @given(broken(said, JSON | BIRDS), st.integers(0, 3))
    def holds(body: Any, cut: int) -> None:
        written = orjson.dumps(body)
        result = parsed(surface, written[: len(written) - cut])
        if isinstance(result, BadRequest):
            assert_tells_nothing(result)

    holds()


@EACH_SURFACE
def test_a_name_of_the_clients_own_is_not_repeated(name: str) -> None:
    """A canary that is longer than a name that an error may repeat."""
    surface = SURFACES[name]

    @FEW
    @given(broken(valid(spoken(name)), st.just({f"{CANARY} {CANARY}": 1})))
    def holds(body: Any) -> None:
        result = parsed(surface, orjson.dumps(body))
        if isinstance(result, BadRequest):
            assert_tells_nothing(result)

    holds()


@EACH_SURFACE
def test_any_valid_body_is_a_call_and_no_text_of_it_outlives_its_rewriting(name: str) -> None:
    surface = SURFACES[name]

    @FEW
    @given(valid(spoken(name), canaries))
    def holds(body: Any) -> None:
        call = parsed(surface, orjson.dumps(body))
        assert isinstance(call, Call), call
        clean = surface.rewrite(call, marked(call))
        assert CANARY.encode() not in orjson.dumps(clean.body)
        assert not any(CANARY in passage.text for passage in clean.passages)
        for codec in codecs(name):
            assert CANARY.encode() not in encoded(codec, clean)

    holds()


@EACH_SURFACE
def test_rewriting_every_text_to_itself_changes_nothing(name: str) -> None:
    surface = SURFACES[name]

    @FEW
    @given(valid(spoken(name)))
    def holds(body: Any) -> None:
        call = parsed(surface, orjson.dumps(body))
        assert isinstance(call, Call), call
        fields = [part for passage in call.passages for part in passage.fields]
        same = surface.rewrite(call, {part.path: part.text for part in fields})
        assert (same.body, same.passages) == (call.body, call.passages)
        assert len({part.path for part in fields}) == len(fields), "a place is looked at once"

    holds()


def encoded(codec: Codec, call: Call) -> bytes:
    """What would go to the engine; nothing, where its dialect cannot say this."""
    try:
        return orjson.dumps(codec.encode(call, "engine-model"))
    except BadRequest as error:
        assert_tells_nothing(error)
        return b""


@EACH_SURFACE
def test_any_reply_can_be_written_whole_and_as_a_stream(name: str) -> None:
    surface = SURFACES[name]
    if not surface.asks_model:
        return
    speaker = cast("ModelSurface", surface)

    @FEW
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        call = surface.parse("call_1", orjson.dumps(data.draw(valid(spoken(name)))))
        reply = data.draw(chunks(call))
        assert isinstance(orjson.loads(speaker.whole(call, reply)), dict)
        for payload in streamed(speaker, call, reply):
            assert payload == b"[DONE]" or isinstance(orjson.loads(payload), dict)

    holds()


def streamed(surface: ModelSurface, call: Call, reply: list[Chunk]) -> list[bytes]:
    """The payloads of the stream, which ends where an event does; none where it has no streams."""
    if not streams(surface.name):
        return []
    writer = surface.writer(call)
    pieces = [*(writer.event(chunk) for chunk in reply), writer.done("x-wardgate-action: allow")]
    whole = b"".join(pieces)
    assert whole.endswith(b"\n\n")
    return EventParser().feed(whole)


@EACH_SURFACE
def test_any_judgement_can_be_told_and_tells_what_was_rewritten(name: str) -> None:
    surface = SURFACES[name]
    if surface.asks_model:
        return
    judge = cast("JudgingSurface", surface)

    @FEW
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        call = surface.parse("call_1", orjson.dumps(data.draw(valid(spoken(name), canaries))))
        clean = surface.rewrite(call, marked(call))
        told = judge.judged(clean, data.draw(judgements(call)))
        assert isinstance(orjson.loads(told), dict)
        assert CANARY.encode() not in told

    holds()


@EACH_CODEC
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_object_is_an_answer_or_a_failed_engine(
    dialect: str, codec: Codec, body: dict[str, Any]
) -> None:
    assert_decodes(dialect, codec, body)


@EACH_CODEC
def test_any_mutation_of_an_answer_is_an_answer_or_a_failed_engine(
    dialect: str, codec: Codec
) -> None:
    """Answers as the dialect's own surface writes them, where it has one."""
    if (surface := _writer_of(codec)) is None:
        return

    @FEW
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        call = surface.parse("call_1", orjson.dumps(data.draw(valid(spoken(surface.name)))))
        reply = data.draw(chunks(call))
        whole = orjson.loads(surface.whole(call, reply))
        events = [orjson.loads(one) for one in streamed(surface, call, reply) if one != b"[DONE]"]
        for body in (whole, *events):
            assert_decodes(dialect, codec, data.draw(broken(st.just(body), JSON | BIRDS)))

    holds()


def _writer_of(codec: Codec) -> ModelSurface | None:
    """The surface that speaks what this codec's engine speaks."""
    dialect = getattr(codec, "target", codec)
    name = getattr(dialect, "name", "")
    return cast("ModelSurface", SURFACES[name]) if name in SURFACES else None


def assert_decodes(dialect: str, codec: Codec, body: Any) -> None:
    if not isinstance(body, dict):
        return  # providers refuse what is no object
    call = smallest(dialect)
    readers = [
        lambda body: codec.decode_whole(body, call),
        *([codec.events().read] if streams(dialect) else []),
    ]
    for read in readers:
        try:
            assert isinstance(read(cast("dict[str, Any]", body)), Chunk)
        except UpstreamError as error:
            assert_tells_nothing(error)
