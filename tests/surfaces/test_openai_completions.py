"""The completions surface: what a client may send, and what of it reaches the engine."""

from dataclasses import replace
from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Chunk, Finished, Kind, Opened, Role, Text, Usage
from gateway.core.ports import Codec, ModelSurface, StreamWriter
from gateway.surfaces.census import Either, Items
from gateway.surfaces.census import Text as Words
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_completions import OpenAICompletions
from tests.surfaces.from_census import JSON, PROSE, broken, places, values

COMPLETIONS = OpenAICompletions(now=lambda: 1700000000)
_WORDS = Words(Kind.TEXT)
_REQUEST = COMPLETIONS.census
_PLAIN = replace(
    _REQUEST,
    fields={**_REQUEST.fields, "prompt": Either(_WORDS, Items(_WORDS, most=3, least=1))},
)


def _coherent(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("stream") is not True:
        body.pop("stream_options", None)
    return body


VALID = values(_PLAIN).map(_coherent)


def parse(surface: OpenAICompletions = COMPLETIONS, /, **body: Any):
    return surface.parse("c1", orjson.dumps({"model": "m", "prompt": "hi", **body}))


def test_it_is_a_surface_and_a_codec():
    surface: ModelSurface = COMPLETIONS
    codec: Codec = COMPLETIONS
    writer: StreamWriter = surface.writer(parse())
    assert (surface.name, surface.asks_model) == ("openai.completions", True)
    assert codec.path == "/completions"
    assert codec.events().ended is False
    assert writer.event(Chunk(())) == b""


def test_the_calls_options_are_read():
    call = parse(stream=True, stream_options={"include_usage": True})
    assert (call.id, call.surface, call.model) == ("c1", "openai.completions", "m")
    assert (call.stream, call.usage_wanted) == (True, True)
    assert not parse(stream=True).usage_wanted
    assert parse().usage_wanted


def test_choices_are_those_of_all_prompts_together():
    assert parse().choices == 1
    assert parse(n=None, prompt=["a"]).choices == 1
    assert parse(n=3).choices == 3
    assert parse(n=3, prompt=["a", "b"]).choices == 6


def test_every_text_becomes_a_passage_of_its_own():
    call = parse(prompt=["one", "two"], suffix="end", stop=["a", "b"], user="bob")
    assert [(p.origin, p.text, p.role, p.kind) for p in call.passages] == [
        ("prompt.0", "one", Role.USER, Kind.TEXT),
        ("prompt.1", "two", Role.USER, Kind.TEXT),
        ("suffix", "end", Role.USER, Kind.TEXT),
        ("stop.0", "a", Role.USER, Kind.TEXT),
        ("stop.1", "b", Role.USER, Kind.TEXT),
        ("user", "bob", Role.USER, Kind.METADATA),
    ]


def test_what_is_rewritten_is_what_the_engine_gets():
    call = parse(prompt=["one", "two"], suffix="end")
    after = COMPLETIONS.rewrite(call, {("prompt", 1): "<X>", ("suffix",): "<Y>"})
    assert COMPLETIONS.encode(after, "e") == {
        "model": "e",
        "prompt": ["one", "<X>"],
        "suffix": "<Y>",
    }
    assert call.body["prompt"] == ["one", "two"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": [True]}, "prompt.0"),
        ({"prompt": ["a"] * 257}, "prompt"),
        ({"model": None}, "model"),
        ({"model": "a b"}, "model"),
        ({"best_of": 0}, "best_of"),
        ({"best_of": 17}, "best_of"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"logit_bias": {"bob": 1}}, "logit_bias.bob"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
    ],
)
def test_what_is_out_of_type_or_range_is_named_by_its_path(body, path):
    with pytest.raises(InvalidField) as caught:
        parse(**body)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": [1, 2]},
        {"prompt": [[1, 2], [3]]},
        {"echo": True},
        {"logprobs": 0},
        {"logprobs": 5},
        {"stream": True, "stream_options": {"include_obfuscation": True}},
    ],
)
def test_what_is_known_but_not_guarded_is_refused_as_such(body):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse(**body)


def test_what_asks_for_nothing_is_taken_and_forwarded():
    asked = {"echo": False, "logprobs": None, "best_of": None, "suffix": None}
    assert COMPLETIONS.encode(parse(**asked), "m") == {"model": "m", "prompt": "hi", **asked}


def test_unknown_top_level_fields_wait_for_the_model_and_reach_no_engine_before():
    call = parse(top_k=5, guided_regex="bob")
    assert "top_k" not in call.body
    with pytest.raises(UnknownField):
        COMPLETIONS.encode(call, "m")
    with pytest.raises(UnknownField):
        COMPLETIONS.admit_extra(call, {"top_k": "integer"})
    admitted = COMPLETIONS.admit_extra(call, {"top_k": "integer", "guided_regex": "text"})
    assert COMPLETIONS.encode(admitted, "m")["top_k"] == 5
    assert [passage.origin for passage in admitted.passages] == ["prompt", "guided_regex"]


def test_limits_are_the_operators():
    strict = OpenAICompletions(Limits(choices=1, parts=1, stops=0))
    for body in ({"n": 2}, {"best_of": 2}, {"prompt": ["a", "b"]}, {"stop": ["a"]}):
        with pytest.raises(InvalidField):
            parse(strict, **body)


@given(VALID)
def test_what_is_valid_reaches_the_engine_unchanged_but_for_model_and_usage(body):
    call = COMPLETIONS.parse("c1", orjson.dumps(body))
    expected = {**body, "model": "engine"}
    if call.stream:
        options = body.get("stream_options") or {}
        expected["stream_options"] = {**options, "include_usage": True}
    assert COMPLETIONS.encode(call, "engine") == expected


@given(VALID)
def test_no_string_but_the_models_name_passes_unless_it_is_a_field(body):
    call = COMPLETIONS.parse("c1", orjson.dumps(body))
    fields = {part.path: part.text for passage in call.passages for part in passage.fields}
    strings = {path: text for path, text in places(body) if isinstance(text, str) and text}
    del strings["model",]
    assert fields == strings


CANARY = "canary bob@corp.example 4111"
ALIEN = JSON | st.just(CANARY) | st.just({CANARY: CANARY}) | st.just([1, 2]) | st.just([[1]])


@given(
    broken(VALID, ALIEN)
    | st.dictionaries(st.sampled_from(["prompt", "model", "n", "stop"]), ALIEN)
    | JSON
)
def test_any_json_gives_a_call_or_a_bad_request_that_repeats_nothing(body):
    said = ""
    try:
        COMPLETIONS.admit_extra(COMPLETIONS.parse("c1", orjson.dumps(body)), {})
    except BadRequest as error:
        said = f"{error.path}: {error.message}"
    assert "bob" not in said


def test_a_stream_ends_in_one_comment_line_and_the_terminator_and_errors_have_neither():
    writer = COMPLETIONS.writer(parse(stream=True))
    assert writer.done("x-wardgate-action: redact") == (
        b": x-wardgate-action: redact\n\ndata: [DONE]\n\n"
    )
    told = {"message": "no", "type": "k", "param": None, "code": "c"}
    event = writer.error(kind="k", code="c", message="no")
    assert event.startswith(b"data: ")
    assert orjson.loads(event[6:]) == {"error": told}
    body = COMPLETIONS.error(status=400, kind="k", code="c", message="no", path="n")
    assert orjson.loads(body) == {"error": {**told, "param": "n"}}


def client(http: httpx.Client) -> openai.OpenAI:
    return openai.OpenAI(
        api_key="k", base_url="http://127.0.0.1/v1", http_client=http, max_retries=0
    )


REPLY = [
    Chunk((Opened(0), Text(0, "content", Kind.TEXT, "a"), Opened(1))),
    Chunk((Text(1, "content", Kind.TEXT, "b"), Text(0, "content", Kind.TEXT, "c"))),
    Chunk((Finished(0, "length"), Finished(1, "content_filter"), Usage(1, 2))),
]


def answering(request: httpx.Request) -> httpx.Response:
    """The surface in the place of a server, with a reply of two choices."""
    call = COMPLETIONS.parse("c1", request.content)
    assert COMPLETIONS.encode(call, call.model)["prompt"] == ["x", "y"]
    if not call.stream:
        return httpx.Response(200, content=COMPLETIONS.whole(call, REPLY))
    writer = COMPLETIONS.writer(call)
    body = b"".join(map(writer.event, REPLY)) + writer.done("x")
    return httpx.Response(200, content=body, headers={"content-type": "text/event-stream"})


@given(text=PROSE)
def test_the_official_client_sends_what_is_taken_and_reads_what_is_written(text):
    with httpx.Client(transport=httpx.MockTransport(answering)) as http:
        read = client(http).completions.create(
            model="m", prompt=["x", "y"], suffix=text, stop=[text], user=text, echo=False
        )
    assert [(one.index, one.text, one.finish_reason) for one in read.choices] == [
        (0, "ac", "length"),
        (1, "b", "content_filter"),
    ]
    assert read.usage is not None
    assert read.usage.total_tokens == 3


def test_the_official_client_reads_the_stream():
    texts = {0: "", 1: ""}
    reasons: dict[int, str] = {}
    totals: list[int] = []
    with httpx.Client(transport=httpx.MockTransport(answering)) as http:
        for event in client(http).completions.create(
            model="m", prompt=["x", "y"], stream=True, stream_options={"include_usage": True}
        ):
            totals += [event.usage.total_tokens] if event.usage else []
            for one in event.choices:
                texts[one.index] += one.text
                reasons |= {one.index: one.finish_reason} if one.finish_reason else {}
    assert (texts, reasons) == ({0: "ac", 1: "b"}, {0: "length", 1: "content_filter"})
    assert totals == [3]
