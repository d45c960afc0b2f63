"""What engines answer is taken when its shape is right, and never repeated when it is wrong."""

import pytest

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import Usage
from gateway.surfaces import openai_answer as answer

CANARY = "canary bob@corp.example"


def refused(read, *told):
    with pytest.raises(UpstreamFailed) as caught:
        read(*told)
    assert "canary" not in caught.value.message
    return caught.value.message


def test_a_list_of_objects_is_read():
    assert answer.listed({"data": [{"a": 1}], "error": None}, "data") == [{"a": 1}]


@pytest.mark.parametrize(
    "body",
    [{}, {"data": CANARY}, {"data": {"a": CANARY}}, {"data": [CANARY]}, {"data": [[CANARY]]}],
)
def test_a_list_of_another_shape_is_a_failure_that_names_the_place(body):
    assert "`data`" in refused(answer.listed, body, "data")


def test_an_error_in_the_place_of_an_answer_is_a_failure():
    assert "`error`" in refused(answer.listed, {"error": CANARY, "data": []}, "data")


@pytest.mark.parametrize(
    ("told", "place"), [(None, 7), (0, 0), (3, 3), ("12", 12), (100_000, 100_000)]
)
def test_an_index_may_be_left_out_or_be_a_string(told, place):
    assert answer.index(told, 7) == place


@pytest.mark.parametrize("told", [-1, True, 1.0, CANARY, [1], 100_001, "0100002", "²"])
def test_any_other_index_is_a_failure(told):
    refused(answer.index, told, 0)


@pytest.mark.parametrize(("told", "number"), [(1, 1.0), (-0.5, -0.5), (1e308, 1e308)])
def test_a_finite_number_is_read(told, number):
    assert answer.finite(told, "x") == number


@pytest.mark.parametrize(
    "told", [None, True, "1", CANARY, [1], float("nan"), float("inf"), -float("inf"), 10**400]
)
def test_what_is_no_finite_number_is_a_failure(told):
    assert "`x`" in refused(answer.finite, told, "x")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, None), ("", None), ("stop", "stop"), ("length", "length"),
        ("max_tokens", "length"), ("content_filter", "content_filter"), ("tool_calls", "stop"),
        ("eos_token", "stop"), (CANARY, "stop"),
    ],
)  # fmt: skip
def test_only_known_reasons_leave(said, meant):
    assert answer.reason(said) == meant


@pytest.mark.parametrize("said", ["abort", "error"])
def test_an_abandoned_text_is_no_end(said):
    with pytest.raises(UpstreamBroken):
        answer.reason(said)


def test_a_reason_that_is_no_word_is_a_failure():
    refused(answer.reason, 5)


def test_usage_keeps_numbers_only():
    told = {
        "prompt_tokens": "10",
        "completion_tokens": 4,
        "total_tokens": 99,
        "prompt_tokens_details": {"cached_tokens": 2, "note_tokens": CANARY, CANARY: 1},
        "completion_tokens_details": None,
        "cost": CANARY,
    }
    assert answer.usage({"usage": told}) == Usage(
        10, 4, {"prompt_tokens_details": {"cached_tokens": 2}}
    )


def test_an_engine_that_tells_the_total_alone_read_that_many():
    assert answer.usage({"usage": {"total_tokens": 9}}) == Usage(9, 0)
    assert answer.usage({"usage": {"prompt_tokens": 0, "total_tokens": 9}}) == Usage(0, 0)
    assert answer.usage({"usage": None}) is None


@pytest.mark.parametrize(
    "told", [CANARY, {"prompt_tokens": CANARY}, {"completion_tokens": -1}, {"total_tokens": 1.5}]
)
def test_usage_of_another_shape_is_a_failure(told):
    assert "`usage" in refused(answer.usage, {"usage": told})


def test_the_envelope_keeps_what_looks_like_what_it_is():
    good = {"id": "chatcmpl-0123456789abcdef", "created": 5, "system_fingerprint": "fp_0123abcd"}
    assert answer.envelope({**good, "model": CANARY}) == good
    assert answer.envelope({"id": CANARY, "created": "5", "system_fingerprint": ["x"]}) == {}


def test_no_word_fits_into_an_id_or_a_fingerprint():
    for word in ("bluebird", "chatcmpl-bluebird", "fp_bluebird", "maria.garcia", "chatcmpl-"):
        assert answer.envelope({"id": word, "system_fingerprint": word}) == {}
