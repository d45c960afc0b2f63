"""What the OpenAI dialects do alike, seen in one that adds nothing."""

import orjson
import pytest

from gateway.core.errors import InvalidField, UnknownField, Unsupported, UpstreamFailed
from gateway.core.model import Kind, Role
from gateway.surfaces.census import MODEL, Flag, Object, Text, Token
from gateway.surfaces.openai_surface import Unstreamed, engine_body

CENSUS = Object(
    {
        "model": Token(MODEL),
        "text": Text(Kind.TEXT, Role.USER),
        "stream": Flag(),
        "stream_options": Object({"include_usage": Flag()}),
    }
)
PLAIN = Unstreamed("plain", CENSUS, None)


def read(**body):
    return PLAIN.read("c1", orjson.dumps({"model": "m", **body}))


def test_a_body_becomes_a_call_with_its_text():
    call = read(text="hello", stream=True, stream_options={"include_usage": True})
    assert (call.id, call.surface, call.model) == ("c1", "plain", "m")
    assert [passage.text for passage in call.passages] == ["hello"]
    assert (call.stream, call.usage_wanted) == (True, True)
    assert not read(stream=True).usage_wanted


def test_stream_options_go_with_a_stream_alone():
    with pytest.raises(InvalidField) as caught:
        read(stream_options={"include_usage": True})
    assert caught.value.path == "stream_options"


def test_a_check_sees_the_body_before_it_is_walked():
    seen = []
    PLAIN.read("c1", b'{"model": "m", "text": "hi"}', seen.append)
    assert seen == [{"model": "m", "text": "hi"}]


def test_what_nobody_admitted_reaches_no_engine_and_what_is_declared_does():
    call = read(colour="red")
    with pytest.raises(UnknownField):
        engine_body(call, "e")
    with pytest.raises(UnknownField):
        PLAIN.admit_extra(call, {})
    admitted = PLAIN.admit_extra(call, {"colour": "text"})
    assert engine_body(admitted, "e") == {"model": "e", "colour": "red"}


def test_an_engine_is_always_asked_for_a_streams_usage():
    assert engine_body(read(stream=True), "e")["stream_options"] == {"include_usage": True}


def test_a_dialect_without_streams_writes_and_reads_none():
    with pytest.raises(Unsupported) as caught:
        PLAIN.writer(read())
    assert caught.value.path == "stream"
    with pytest.raises(UpstreamFailed):
        PLAIN.events()
