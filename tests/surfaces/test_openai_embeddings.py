"""The embeddings surface: texts are looked at, vectors pass through in the form that was asked for."""

import contextlib
import struct
from base64 import b64encode
from dataclasses import replace
from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from gateway.core.errors import (
    BadRequest,
    InvalidField,
    UnknownField,
    Unsupported,
    UpstreamError,
    UpstreamFailed,
)
from gateway.core.model import Chunk, Finished, Kind, Opened, Role, Usage, Vector
from gateway.core.ports import Codec, ModelSurface
from gateway.surfaces.census import Either, Items
from gateway.surfaces.census import Text as Words
from gateway.surfaces.openai_embeddings import OpenAIEmbeddings
from tests.surfaces.from_census import JSON, PROSE, broken, places, values

EMBEDDINGS = OpenAIEmbeddings()
_WORDS = Words(Kind.TEXT)
_REQUEST = EMBEDDINGS.census
VALID = values(
    replace(
        _REQUEST,
        fields={**_REQUEST.fields, "input": Either(_WORDS, Items(_WORDS, most=3, least=1))},
    )
)
CANARY = "canary bob@corp.example"


def parse(**body: Any):
    return EMBEDDINGS.parse("c1", orjson.dumps({"model": "m", "input": "hi", **body}))


def packed(*numbers: float) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def answer(*embeddings: Any, **fields: Any) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(embeddings)
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "model": "engine", "data": data, "usage": usage, **fields}


def written(call: Any, body: dict[str, Any]) -> dict[str, Any]:
    return orjson.loads(EMBEDDINGS.whole(call, [EMBEDDINGS.decode_whole(body, call)]))


def test_it_is_a_surface_and_a_codec():
    surface: ModelSurface = EMBEDDINGS
    codec: Codec = EMBEDDINGS
    assert (surface.name, surface.asks_model) == ("openai.embeddings", True)
    assert codec.path == "/embeddings"


def test_every_text_becomes_a_passage_of_its_own():
    call = parse(input=["one", "two"], user="bob", dimensions=8, encoding_format="base64")
    assert [(p.origin, p.text, p.role, p.kind) for p in call.passages] == [
        ("input.0", "one", Role.USER, Kind.TEXT),
        ("input.1", "two", Role.USER, Kind.TEXT),
        ("user", "bob", Role.USER, Kind.METADATA),
    ]
    assert (call.id, call.model, call.stream, call.choices) == ("c1", "m", False, 1)
    after = EMBEDDINGS.rewrite(call, {("input", 1): "<X>"})
    assert EMBEDDINGS.encode(after, "e") == {**call.body, "model": "e", "input": ["one", "<X>"]}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": {}}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": ["a", None]}, "input.1"),
        ({"model": "a b"}, "model"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 65_537}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"user": 5}, "user"),
    ],
)
def test_what_is_out_of_type_or_range_is_named_by_its_path(body, path):
    with pytest.raises(InvalidField) as caught:
        parse(**body)
    assert caught.value.path == path


def test_as_many_inputs_are_taken_as_the_official_api_takes():
    assert len(parse(input=["a"] * 2048).passages) == 2048


@pytest.mark.parametrize("tokens", [[1, 2], [[1, 2], [3]], ["a", [1]]])
def test_tokens_are_refused(tokens):
    with pytest.raises(Unsupported, match="tokens are text that nobody can look at"):
        parse(input=tokens)


def test_a_stream_is_unknown_here_and_an_engines_own_fields_are_the_models_to_admit():
    with pytest.raises(UnknownField) as caught:
        EMBEDDINGS.admit_extra(parse(stream=True), {})
    assert caught.value.path == "stream"
    call = parse(task="search", truncate=True)
    with pytest.raises(UnknownField):
        EMBEDDINGS.encode(call, "m")
    admitted = EMBEDDINGS.admit_extra(call, {"task": "text", "truncate": "boolean"})
    assert EMBEDDINGS.encode(admitted, "m") == {
        "model": "m",
        "input": "hi",
        "task": "search",
        "truncate": True,
    }
    assert [passage.origin for passage in admitted.passages] == ["input", "task"]


def test_there_is_nothing_that_reads_or_writes_streams():
    with pytest.raises(Unsupported):
        EMBEDDINGS.writer(parse())
    with pytest.raises(UpstreamFailed):
        EMBEDDINGS.events()


@given(VALID)
def test_what_is_valid_reaches_the_engine_unchanged_and_no_text_of_it_unlooked_at(body):
    call = EMBEDDINGS.parse("c1", orjson.dumps(body))
    assert EMBEDDINGS.encode(call, "engine") == {**body, "model": "engine"}
    fields = {part.path: part.text for passage in call.passages for part in passage.fields}
    strings = {path: text for path, text in places(body) if isinstance(text, str) and text}
    assert fields == {path: text for path, text in strings.items() if path[0] in ("input", "user")}


ALIEN = JSON | st.just(CANARY) | st.just({CANARY: CANARY}) | st.just([1, 2]) | st.just([[1]])


@given(
    broken(VALID, ALIEN)
    | st.dictionaries(st.sampled_from(["input", "model", "user"]), ALIEN)
    | JSON
)
def test_any_json_gives_a_call_or_a_bad_request_that_repeats_nothing(body):
    said = ""
    try:
        EMBEDDINGS.admit_extra(EMBEDDINGS.parse("c1", orjson.dumps(body)), {})
    except BadRequest as error:
        said = f"{error.path}: {error.message}"
    assert "bob" not in said


def test_an_answer_becomes_vectors_in_order_between_an_opening_and_an_end():
    body = answer([1.0, 2.0], packed(0.5), id="embd-0123456789ab", created=5)
    body["data"].reverse()
    assert EMBEDDINGS.decode_whole(body, parse(input=["a", "b"])) == Chunk(
        (
            Opened(0),
            Vector(0, (1.0, 2.0)),
            Vector(1, struct.pack("<f", 0.5)),
            Finished(0, "stop"),
            Usage(3, 0),
        ),
        {"id": "embd-0123456789ab", "created": 5},
    )


def test_an_engine_may_leave_out_the_indices():
    body = {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}
    chunk = EMBEDDINGS.decode_whole(body, parse(input=["a", "b"]))
    assert [one.index for one in chunk.parts if isinstance(one, Vector)] == [0, 1]


def test_nothing_of_the_engines_but_numbers_leaves():
    body = answer([1.0], note=CANARY, id=CANARY)
    body["data"][0] |= {"text": CANARY, "object": CANARY}
    body["usage"] |= {CANARY: 1}
    assert CANARY not in str(EMBEDDINGS.decode_whole(body, parse()))
    assert written(parse(), body) == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [1.0]}],
        "model": "m",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": {"message": CANARY}},
        {"data": CANARY},
        {"data": [CANARY]},
        answer(CANARY),
        answer([CANARY]),
        answer([]),
        answer(None),
        answer({"int8": [1]}),
        answer([1.0], usage=CANARY),
        {"data": [{"index": CANARY, "embedding": [1.0]}]},
        {"data": [{"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": -1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}]},
    ],
)
def test_a_wrong_shape_is_a_failed_upstream_and_is_not_repeated(body):
    with pytest.raises(UpstreamFailed) as caught:
        EMBEDDINGS.decode_whole(body, parse())
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("got", [0, 1, 3])
def test_one_vector_for_each_input_or_none_at_all(got):
    with pytest.raises(UpstreamFailed, match="one vector for each input"):
        EMBEDDINGS.decode_whole(answer(*[[1.0]] * got), parse(input=["a", "b"]))


ENGINES = broken(
    st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=3) | st.just(packed(1.0))).map(
        lambda vectors: answer(*vectors)
    ),
    JSON,
)


@given(ENGINES | st.dictionaries(st.sampled_from(["data", "usage", "error"]), JSON))
def test_any_answer_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        with contextlib.suppress(UpstreamError):
            assert isinstance(EMBEDDINGS.decode_whole(body, parse()), Chunk)


FLOATS = st.lists(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
    min_size=1,
    max_size=4,
)


@given(FLOATS, st.booleans())
def test_the_client_gets_the_form_that_it_asked_for_whatever_the_engine_sent(vectors, packs):
    engine = answer(*([packed(*one) for one in vectors] if packs else vectors))
    texts = ["a"] * len(vectors)
    plain = written(parse(input=texts), engine)
    assert written(parse(input=texts, encoding_format="float"), engine) == plain
    CreateEmbeddingResponse.model_validate(plain, strict=True)
    assert [one["embedding"] for one in plain["data"]] == vectors
    coded = written(parse(input=texts, encoding_format="base64"), engine)
    assert [one["embedding"] for one in coded["data"]] == [packed(*one) for one in vectors]
    assert [one["index"] for one in coded["data"]] == [*range(len(vectors))]


@given(FLOATS, st.booleans(), st.sampled_from(["float", "base64", None]), PROSE)
def test_the_official_client_reads_the_same_numbers_in_every_form(vectors, packs, form, text):
    def serve(request: httpx.Request) -> httpx.Response:
        call = EMBEDDINGS.parse("c1", request.content)
        assert EMBEDDINGS.encode(call, call.model) == orjson.loads(request.content)
        engine = answer(*([packed(*one) for one in vectors] if packs else vectors))
        chunk = EMBEDDINGS.decode_whole(engine, call)
        return httpx.Response(200, content=EMBEDDINGS.whole(call, [chunk]))

    asked = {"encoding_format": form} if form else {}
    with httpx.Client(transport=httpx.MockTransport(serve)) as http:
        client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http)
        read = client.embeddings.create(model="m", input=[text] * len(vectors), **asked)  # type: ignore[arg-type]
    assert (read.model, read.usage.total_tokens) == ("m", 3)
    told = [packed(*one) for one in vectors] if form == "base64" else vectors
    assert [one.embedding for one in read.data] == told


def test_errors_have_the_shape_of_the_api():
    body = EMBEDDINGS.error(status=400, kind="k", code="c", message="no", path="input")
    assert orjson.loads(body) == {
        "error": {"message": "no", "type": "k", "param": "input", "code": "c"}
    }
