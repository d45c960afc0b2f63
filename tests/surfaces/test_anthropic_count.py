"""A prompt's tokens are counted by the engine: by its own count, or by an answer of one token."""

from typing import Any

import orjson
import pytest
from hypothesis import given

from gateway.core.errors import BadRequest, InvalidField, UnknownField, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Text, Usage
from gateway.core.ports import Codec, ModelSurface
from gateway.surfaces.anthropic_count import AnthropicCountTokens
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.translated import Translated
from tests.surfaces.from_census import JSON, broken, valid

COUNT = AnthropicCountTokens()
VALID = valid(COUNT)


def parse(**body: Any):
    messages = [{"role": "user", "content": "hi"}]
    return COUNT.parse("c1", orjson.dumps({"model": "m", "messages": messages, **body}))


def test_it_is_a_model_surface_and_a_codec():
    surface: ModelSurface = COUNT
    codec: Codec = COUNT
    assert (surface.name, surface.asks_model) == ("anthropic.count_tokens", True)
    assert codec.path == "/messages/count_tokens"


def test_the_text_that_is_counted_is_looked_at():
    call = parse(system="be kind")
    assert [passage.text for passage in call.passages] == ["hi", "be kind"]
    assert (call.surface, call.stream) == ("anthropic.count_tokens", False)


def test_it_never_streams():
    assert parse(stream=True).unknown == {"stream": True}
    for ask in (lambda: COUNT.writer(parse()), COUNT.events):
        with pytest.raises(AssertionError, match="no stream"):
            ask()


def test_an_engine_of_the_dialect_counts_what_was_looked_at():
    after = COUNT.rewrite(parse(), {("messages", 0, "content"): "<PERSON>"})
    assert COUNT.encode(after, "e") == {
        "model": "e",
        "messages": [{"role": "user", "content": "<PERSON>"}],
    }
    chunk = COUNT.decode_whole({"input_tokens": 14}, after)
    assert chunk.parts == (Opened(0), Finished(0, "stop"), Usage(14, 0))
    assert orjson.loads(COUNT.whole(parse(), [chunk])) == {"input_tokens": 14}


def test_another_engine_counts_by_one_token_of_which_nothing_is_passed_on():
    through = Translated(COUNT, OpenAIChat())
    assert through.encode(parse(), "e") == {
        "model": "e",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 1,
    }
    assert through.path == "/chat/completions"
    said = Text(0, "content", Kind.TEXT, "canary")
    answer = [Chunk((Opened(0), said)), Chunk((Finished(0, "length"), Usage(8, 1)))]
    assert COUNT.whole(parse(), answer) == b'{"input_tokens":8}'


def test_a_last_answer_is_counted_like_any_other():
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "{"}]
    written = Translated(COUNT, OpenAIChat()).encode(parse(messages=history), "e")
    assert written["messages"][-1] == {"role": "assistant", "content": "{"}


def test_no_count_is_a_failure_rather_than_a_guess():
    with pytest.raises(UpstreamFailed):
        COUNT.whole(parse(), [Chunk((Opened(0), Finished(0, "stop")))])


def test_what_is_unknown_waits_for_the_model():
    with pytest.raises(UnknownField):
        COUNT.encode(parse(min_p=1), "e")
    with pytest.raises(UnknownField):
        COUNT.admit_extra(parse(min_p=1), {})
    assert COUNT.encode(COUNT.admit_extra(parse(min_p=1), {"min_p": "number"}), "e")["min_p"] == 1


def test_errors_have_the_shape_of_the_api():
    with pytest.raises(InvalidField) as caught:
        parse(messages=None)
    told = COUNT.error(
        status=400, kind="k", code="invalid_field", message="no", path=caught.value.path
    )
    assert orjson.loads(told)["error"]["param"] == "messages"


@given(VALID)
def test_what_is_valid_reaches_the_engine_unchanged_but_for_the_model(body):
    assert COUNT.encode(COUNT.parse("c1", orjson.dumps(body)), "engine") == {
        **body,
        "model": "engine",
    }


@given(broken(VALID, JSON) | JSON)
def test_any_json_gives_a_call_or_a_bad_request(body):
    try:
        call = COUNT.parse("c1", orjson.dumps(body))
    except BadRequest:
        return
    assert not call.stream
