"""From bytes to an object of bounded shape, or a refusal that repeats nothing."""

import contextlib
import json

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.errors import BadRequest, MalformedBody, TooLarge
from gateway.surfaces.intake import Limits, load, measure, shown
from tests.surfaces.from_census import JSON, PROSE

LIMITS = Limits(depth=8, keys=50)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": 1} {"b": 2}',
        b"\xef\xbb\xbf{}",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"[" * 500 + b"]" * 500,
    ],
)
def test_what_is_no_json_object_is_malformed(body):
    with pytest.raises(MalformedBody):
        load(body, LIMITS)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": "\xff"}', "not UTF-8: it breaks at byte 7"),
        (b'{"a": 1,}', "breaks at character 7"),
    ],
)
def test_what_is_wrong_with_a_malformed_body_is_said(body, says):
    with pytest.raises(MalformedBody, match=says) as caught:
        load(body, LIMITS)
    assert caught.value.__context__ is None


def test_the_malformed_body_is_not_carried_by_the_error():
    with pytest.raises(MalformedBody) as caught:
        load(b'{"a": "canary" oops', LIMITS)
    assert "canary" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_depth_counts_the_body_as_the_first_level_and_names_the_deep_field():
    assert load(b'{"flat": [1], "a":' + b"[" * 7 + b"]" * 7 + b"}", LIMITS)
    with pytest.raises(MalformedBody, match="8 levels") as caught:
        load(b'{"flat": [1], "a":' + b"[" * 8 + b"]" * 8 + b"}", LIMITS)
    assert caught.value.path == "a"


def test_too_many_names_are_too_large_and_the_fullest_field_is_named():
    assert load(orjson.dumps({"a": {str(n): 1 for n in range(49)}}), LIMITS)
    with pytest.raises(TooLarge) as caught:
        load(orjson.dumps({"a": {str(n): 1 for n in range(49)}, "b": 1}), LIMITS)
    assert caught.value.path == "a"


def test_a_million_names_are_refused():
    names = b",".join(b'"%d":1' % n for n in range(1_000_000))
    for body, path in [(b"{%b}" % names, None), (b'{"a":1,"b":[{%b}]}' % names, "b")]:
        with pytest.raises(TooLarge) as caught:
            load(body, Limits())
        assert caught.value.path == path


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "a" : 2}}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": "x\\\\", "a": 2}',
        b'{"t": "\\":", "a": 1, "a"\n:2}',
    ],
)
def test_a_name_that_comes_twice_is_malformed(body):
    with pytest.raises(MalformedBody, match="twice"):
        load(body, LIMITS)


@given(st.dictionaries(PROSE, JSON), st.booleans(), st.sampled_from([None, 1, "\t"]))
@example({'a\\":': '\\\\":', "b:": {'"': ":"}}, False, None)
def test_names_that_differ_are_never_taken_for_the_same(tree, ascii_only, indent):
    body = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    assert load(body, Limits()) == tree


@given(st.binary(max_size=60))
@example(b'{"":"\\"}')
def test_any_bytes_give_an_object_or_a_bad_request(body):
    with contextlib.suppress(BadRequest):
        assert isinstance(load(body, LIMITS), dict)


@given(JSON)
def test_measuring_agrees_with_counting_by_hand(tree):
    def names(value):
        inside = list(value.values()) if isinstance(value, dict) else value
        return (len(value) if isinstance(value, dict) else 0) + (
            sum(map(names, inside)) if isinstance(value, dict | list) else 0
        )

    def depth(value):
        inside = list(value.values()) if isinstance(value, dict) else value
        return 1 + max(map(depth, inside), default=0) if isinstance(value, dict | list) else 0

    assert measure(tree, Limits()) == (names(tree), depth(tree))


def test_only_plain_short_names_are_repeated():
    assert shown("top_k") == "top_k"
    assert [shown(n) for n in ("", "bob@corp.example", "a b", "x" * 65, "a\n", "é")] == ["?"] * 6
