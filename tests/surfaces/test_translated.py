"""Calls of one dialect on engines of another: said by the first, written down by the second."""

import orjson
import pytest

from gateway.core.errors import UnknownField, Unsupported, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Text
from gateway.core.ports import Codec
from gateway.surfaces.anthropic_messages import AnthropicMessages
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.openai_responses import OpenAIResponses
from gateway.surfaces.translated import Translated

CHAT = OpenAIChat()
RESPONSES = OpenAIResponses()
HI = {"role": "user", "content": "hi"}
CODEC: Codec = Translated(RESPONSES, OpenAIChat())


def parse(**body):
    return RESPONSES.parse("c1", orjson.dumps({"model": "m", "input": "hi", **body}))


def test_a_call_is_written_in_the_engines_dialect_under_the_engines_name_for_the_model():
    assert CODEC.path == "/chat/completions"
    assert CODEC.encode(parse(max_output_tokens=5), "engine-model") == {
        "model": "engine-model",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 5,
    }


def test_a_stream_is_asked_for_with_its_usage():
    asked = CODEC.encode(parse(stream=True), "e")
    assert (asked["stream"], asked["stream_options"]) == (True, {"include_usage": True})


def test_what_the_engines_dialect_cannot_say_is_refused_by_the_clients_own_name():
    call = CHAT.parse("c1", orjson.dumps({"model": "m", "messages": [HI], "seed": 5}))
    with pytest.raises(Unsupported) as caught:
        Translated(CHAT, AnthropicMessages()).encode(call, "e")
    assert caught.value.path == "seed"


@pytest.mark.parametrize("target", [CHAT, AnthropicMessages()])
@pytest.mark.parametrize(
    ("source", "body"),
    [
        (CHAT, {"messages": [HI]}),
        (RESPONSES, {"input": "hi"}),
        (AnthropicMessages(), {"messages": [HI], "max_tokens": 5}),
    ],
)
def test_an_engines_own_field_that_the_operator_declared_is_never_dropped(source, body, target):
    sent = orjson.dumps({"model": "m", "colour": "red", **body})
    call = source.admit_extra(source.parse("c1", sent), {"colour": "text"})
    call = source.rewrite(call, {("colour",): "<COLOUR>"})
    assert Translated(source, target).encode(call, "e")["colour"] == "<COLOUR>"


def test_what_nobody_admitted_reaches_no_engine():
    with pytest.raises(UnknownField):
        CODEC.encode(parse(colour="red"), "e")


def test_the_engines_answer_is_read_in_its_own_dialect():
    message = {"role": "assistant", "content": "hi"}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    expected = (Opened(0), Text(0, "content", Kind.TEXT, "hi"), Finished(0, "stop"))
    assert CODEC.decode_whole(body, parse()) == Chunk(expected)
    reader = CODEC.events()
    event = {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]}
    assert reader.read(event).parts == expected[1:2]
    assert not reader.ended
    with pytest.raises(UpstreamFailed):
        reader.read({"error": {"message": "no"}})


def test_what_an_engine_thinks_under_two_names_at_once_is_told_once():
    twice = {"reasoning": "hm", "reasoning_content": "hm", "content": "hm"}
    event = {"choices": [{"index": 0, "delta": twice}]}
    message = {"choices": [{"index": 0, "message": twice, "finish_reason": "stop"}]}
    texts = [
        Text(0, "reasoning_content", Kind.REASONING, "hm"),
        Text(0, "content", Kind.TEXT, "hm"),
    ]

    reader = CODEC.events()
    assert [*reader.read(event).parts] == texts
    assert [*reader.read(event).parts] == texts, "the same words again are more of them"
    whole = CODEC.decode_whole(message, parse()).parts
    assert [part for part in whole if isinstance(part, Text)] == texts
    alone = {"choices": [{"index": 0, "delta": {"reasoning": "hm"}}]}
    assert reader.read(alone).parts == (Text(0, "reasoning", Kind.REASONING, "hm"),)
