"""JSON is looked at with its escapes decoded, and an edit leaves valid JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.redact import apply
from gateway.core.views import JsonView, PlainView


def read(raw: str) -> tuple[str, JsonView]:
    view = JsonView()
    return view.feed(raw) + view.close(), view


def edited(raw: str, wanted: str, text: str = "<X>") -> str:
    looked, view = read(raw)
    start = looked.index(wanted)
    return apply(raw, view.edits(start, start + len(wanted), text))


@pytest.mark.parametrize(
    ("raw", "looked"),
    [
        (r'{"a":"jo\u0068n@x.com"}', '{"a":"john@x.com"}'),
        (r'"\ud83d\ude00 \n"', '"\U0001f600 \n"'),
        (r'"\ud83d alone"', '"\ufffd alone"'),
        (r'"\udc00"', '"\ufffd"'),
        (r'"\q"', r'"\q"'),
        ("not json", "not json"),
        ('[1, nul, "\\u0041"]', '[1, nul, "\\u0041"]'),
        ('"open \\u00', '"open \\u00'),
    ],
)
def test_what_is_looked_at(raw: str, looked: str) -> None:
    assert read(raw)[0] == looked


@pytest.mark.parametrize(
    ("raw", "wanted", "expected"),
    [
        (r'{"a":"jo\u0068n@x.com!"}', "john@x.com", '{"a":"<X>!"}'),
        ('{"card": 4111111111111111}', "111111", '{"card": "<X>"}'),
        ('{"a":"John","b":"Smith"}', 'John","b":"Smith', '{"a":"<X>","":""}'),
        ('[4111, 1111, "x"]', "4111, 1111", '["<X>", "", "x"]'),
        ("mail bob please", "bob", "mail <X> please"),
    ],
)
def test_an_edit_keeps_structure(raw: str, wanted: str, expected: str) -> None:
    assert edited(raw, wanted) == expected


def test_what_is_put_in_is_escaped() -> None:
    assert json.loads(edited('{"a":"bob"}', "bob", 'q"\\\n')) == {"a": 'q"\\\n'}


@given(st.recursive(st.none() | st.integers() | st.text(max_size=8), st.lists, max_leaves=6))
def test_every_string_of_valid_json_is_looked_at_decoded(value: object) -> None:
    looked, view = read(json.dumps(value))

    def strings(item: object) -> list[str]:
        if isinstance(item, list):
            return [text for inner in item for text in strings(inner)]
        return [item] if isinstance(item, str) else []

    for text in strings(value):
        assert text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") in looked
    assert view.raw(len(looked)) == len(json.dumps(value))


def test_plain_text_is_itself() -> None:
    view = PlainView()

    assert view.feed("abc") == "abc"
    assert view.snap(2) == view.raw(2) == 2
    assert view.stop(1, 3) == 3


@pytest.mark.parametrize(
    ("raw", "start", "stop"),
    [
        ('{"a":"http://x","b":"c"}', 10, 14),
        ('["a\\u0022b", 1]', 2, 5),
        ("[12, 3]", 2, 3),
        ("no json here", 3, 12),
        ('["open', 3, 6),
    ],
)
def test_a_word_stops_where_a_string_or_number_ends(raw: str, start: int, stop: int) -> None:
    looked, view = read(raw)

    assert view.stop(start, len(looked)) == stop
