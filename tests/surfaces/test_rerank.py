"""The rerank surface: query and documents are looked at; of the engine's answer ranks alone leave."""

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import (
    BadRequest,
    InvalidField,
    UnknownField,
    Unsupported,
    UpstreamError,
    UpstreamFailed,
)
from gateway.core.model import Chunk, Finished, Kind, Opened, Rank, Role, Usage
from gateway.core.ports import Codec, ModelSurface
from gateway.surfaces.rerank import Rerank
from tests.surfaces.from_census import JSON, broken, places, values

RERANK = Rerank()
VALID = values(RERANK.census)
CANARY = "canary bob@corp.example"


def parse(**body: Any):
    asked = {"model": "m", "query": "q", "documents": ["a", {"text": "b"}, "c"], **body}
    return RERANK.parse("c1", orjson.dumps(asked))


def result(index: Any, score: Any, **fields: Any) -> dict[str, Any]:
    return {"index": index, "relevance_score": score, **fields}


VLLM = {
    "id": "rerank-0123456789ab",
    "model": "engine",
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
    "results": [
        result(2, 0.9, document={"text": CANARY, "multi_modal": None}),
        result(0, -1.5, document={"text": CANARY}),
    ],
}
INFINITY = {
    "object": "rerank",
    "id": "rerank-fedcba987654",
    "created": 5,
    "model": "engine",
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
    "results": [result(2, 0.9, document=CANARY), result(0, -1.5, document=None)],
}
LLAMA_CPP = {
    "object": "list",
    "model": "engine",
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
    "results": [result(2, 0.9), result(0, -1.5)],
}
COHERE = {
    "id": "id-0761abcdef",
    "results": [result(2, 0.9), result(0, -1.5)],
    "meta": {
        "api_version": {"version": CANARY},
        "billed_units": {"search_units": 1},
        "tokens": {"input_tokens": 9, "output_tokens": 0},
    },
}


def written(call: Any, body: dict[str, Any]) -> dict[str, Any]:
    return orjson.loads(RERANK.whole(call, [RERANK.decode_whole(body, call)]))


def test_it_is_a_surface_and_a_codec():
    surface: ModelSurface = RERANK
    codec: Codec = RERANK
    assert (surface.name, surface.asks_model, codec.path) == ("rerank", True, "/rerank")


def test_query_and_documents_become_passages_of_their_own():
    call = parse(instruction="be fair", user="bob")
    assert [(p.origin, p.text, p.role, p.kind) for p in call.passages] == [
        ("query", "q", Role.USER, Kind.TEXT),
        ("documents.0", "a", Role.USER, Kind.TEXT),
        ("documents.1.text", "b", Role.USER, Kind.TEXT),
        ("documents.2", "c", Role.USER, Kind.TEXT),
        ("instruction", "be fair", Role.USER, Kind.TEXT),
        ("user", "bob", Role.USER, Kind.METADATA),
    ]
    assert (call.id, call.model, call.stream, call.choices) == ("c1", "m", False, 1)
    after = RERANK.rewrite(call, {("documents", 1, "text"): "<X>", ("query",): "<Q>"})
    sent = RERANK.encode(after, "e")
    assert (sent["model"], sent["query"]) == ("e", "<Q>")
    assert sent["documents"] == ["a", {"text": "<X>"}, "c"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"query": None}, "query"),
        ({"query": ["q"]}, "query"),
        ({"documents": None}, "documents"),
        ({"documents": "a"}, "documents"),
        ({"documents": []}, "documents"),
        ({"documents": ["a"] * 2049}, "documents"),
        ({"documents": [5]}, "documents.0"),
        ({"documents": [["a"]]}, "documents.0"),
        ({"documents": [{}]}, "documents.0.text"),
        ({"documents": [{"text": 5}]}, "documents.0.text"),
        ({"model": "a b"}, "model"),
        ({"top_n": 0}, "top_n"),
        ({"max_tokens_per_doc": 0}, "max_tokens_per_doc"),
        ({"return_documents": "yes"}, "return_documents"),
    ],
)
def test_what_is_out_of_type_or_range_is_named_by_its_path(body, path):
    with pytest.raises(InvalidField) as caught:
        parse(**body)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "body", [{"rank_fields": ["title"]}, {"documents": [{"text": "a", "image": "x"}]}]
)
def test_what_is_known_but_not_guarded_is_refused_as_such(body):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse(**body)


def test_a_documents_other_fields_are_unknown():
    with pytest.raises(UnknownField) as caught:
        parse(documents=[{"text": "a", "title": "b"}])
    assert caught.value.path == "documents.0.title"


def test_an_engines_own_fields_are_the_models_to_admit():
    call = parse(truncate_prompt_tokens=5)
    with pytest.raises(UnknownField):
        RERANK.encode(call, "m")
    with pytest.raises(UnknownField):
        RERANK.admit_extra(call, {})
    admitted = RERANK.admit_extra(call, {"truncate_prompt_tokens": "integer"})
    assert RERANK.encode(admitted, "m")["truncate_prompt_tokens"] == 5


def test_there_is_nothing_that_reads_or_writes_streams():
    with pytest.raises(Unsupported):
        RERANK.writer(parse())
    with pytest.raises(UpstreamFailed):
        RERANK.events()


@given(VALID)
def test_what_is_valid_reaches_the_engine_unchanged_and_no_text_of_it_unlooked_at(body):
    call = RERANK.parse("c1", orjson.dumps(body))
    assert RERANK.encode(call, "engine") == {**body, "model": "engine"}
    fields = {part.path: part.text for passage in call.passages for part in passage.fields}
    strings = {path: text for path, text in places(body) if isinstance(text, str) and text}
    del strings["model",]
    assert fields == {path: text for path, text in strings.items() if path[0] != "rank_fields"}


ALIEN = JSON | st.just(CANARY) | st.just({CANARY: CANARY}) | st.just([1, 2])


@given(
    broken(VALID, ALIEN)
    | st.dictionaries(st.sampled_from(["query", "documents", "model", "top_n"]), ALIEN)
    | JSON
)
def test_any_json_gives_a_call_or_a_bad_request_that_repeats_nothing(body):
    said = ""
    try:
        RERANK.admit_extra(RERANK.parse("c1", orjson.dumps(body)), {})
    except BadRequest as error:
        said = f"{error.path}: {error.message}"
    assert "bob" not in said


@pytest.mark.parametrize("body", [VLLM, INFINITY, LLAMA_CPP, COHERE])
def test_every_engines_answer_becomes_ranks_in_its_order(body):
    chunk = RERANK.decode_whole(body, parse())
    assert chunk.parts == (
        Opened(0),
        Rank(2, 0.9),
        Rank(0, -1.5),
        Finished(0, "stop"),
        Usage(9, 0),
    )
    assert CANARY not in str(chunk)


@pytest.mark.parametrize("body", [VLLM, INFINITY, LLAMA_CPP, COHERE])
def test_the_client_gets_ranks_and_counts_and_no_document_that_it_did_not_ask_for(body):
    read = written(parse(), body)
    assert read == {
        "id": body.get("id", "rerank-c1"),
        "model": "m",
        "results": [result(2, 0.9), result(0, -1.5)],
        "usage": {"prompt_tokens": 9, "total_tokens": 9},
        "meta": {"tokens": {"input_tokens": 9, "output_tokens": 0}},
    }


def test_documents_that_were_asked_for_are_the_calls_own_as_rewritten():
    call = parse(documents=["a", "b", {"text": "c"}], return_documents=True)
    call = RERANK.rewrite(call, {("documents", 2, "text"): "<X>"})
    read = written(call, VLLM)
    assert [one["document"] for one in read["results"]] == [{"text": "<X>"}, {"text": "a"}]


def test_usage_that_nobody_counted_is_not_made_up():
    read = written(parse(), {"results": [result(0, 1)]})
    assert read == {"id": "rerank-c1", "model": "m", "results": [result(0, 1.0)]}


def test_a_rank_of_a_document_that_nobody_sent_is_a_failed_upstream():
    with pytest.raises(UpstreamFailed, match="a document that it did not get"):
        RERANK.decode_whole({"results": [result(3, 0.5)]}, parse())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": {"message": CANARY}},
        {"results": CANARY},
        {"results": [CANARY]},
        {"results": [{"relevance_score": 1.0}]},
        {"results": [{"index": 0, "score": 1.0}]},
        {"results": [result(CANARY, 1.0)]},
        {"results": [result(-1, 1.0)]},
        {"results": [result(0, 1.0), result(0, 0.5)]},
        {"results": [result(0, CANARY)]},
        {"results": [result(0, None)]},
        {"results": [result(0, True)]},
        {"results": [result(0, float("nan"))]},
        {"results": [result(0, float("inf"))]},
        {"results": [], "usage": CANARY},
        {"results": [], "meta": CANARY},
        {"results": [], "meta": {"tokens": CANARY}},
        {"results": [], "meta": {"tokens": {"input_tokens": CANARY}}},
    ],
)
def test_a_wrong_shape_is_a_failed_upstream_and_is_not_repeated(body):
    with pytest.raises(UpstreamFailed) as caught:
        RERANK.decode_whole(body, parse())
    assert "canary" not in caught.value.message


ENGINES = broken(st.sampled_from([VLLM, INFINITY, LLAMA_CPP, COHERE]), JSON)


@given(ENGINES | st.dictionaries(st.sampled_from(["results", "usage", "meta"]), JSON))
def test_any_answer_gives_a_chunk_or_an_upstream_error(body):
    if isinstance(body, dict):
        with contextlib.suppress(UpstreamError):
            assert isinstance(RERANK.decode_whole(body, parse()), Chunk)


def test_errors_have_the_shape_of_the_api():
    body = RERANK.error(status=400, kind="k", code="c", message="no", path="query")
    assert orjson.loads(body) == {
        "error": {"message": "no", "type": "k", "param": "query", "code": "c"}
    }
