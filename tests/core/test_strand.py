"""A stream's text equals the whole's, whatever the chunking, and nothing unlooked-at leaves."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.model import Form
from gateway.core.ports import Reach
from gateway.core.redact import Hash, Mask, Operator, Remove, Replace
from gateway.core.strand import Strand
from tests.core.weaving import Look, cut, finder, weave

SHORT = Reach(min=3, max=7, before=5, after=4)
LONG = Reach(min=6, max=11, before=8, after=9)
BARE = Reach(min=1, max=3, before=0, after=0)
DETECTORS: list[tuple[Reach, Look]] = [
    (SHORT, finder(r"\w+@\w+")),
    (LONG, finder(r"\d{3,9}")),
    (BARE, finder(r"x")),
    (LONG, finder(r"ab(?= c)|secret")),
]
TEXTS = st.text(st.sampled_from("ab @12x\u0301\u200d\n c3secret"), max_size=60)
PLACES = st.lists(st.integers(0, 200), max_size=20)
CHOSEN = st.lists(st.integers(0, len(DETECTORS) - 1), max_size=4, unique=True)
OPERATORS = st.sampled_from([Replace(), Replace("--"), Mask(), Mask(2), Hash(), Remove()])


@given(TEXTS, PLACES, CHOSEN, OPERATORS)
@example("aab ab cab", [3, 4, 5], [3], Replace())
@example("xxxxxxxxxx", [4, 7], [2], Replace())
def test_a_stream_equals_the_whole(
    text: str, places: list[int], chosen: list[int], operator: Operator
) -> None:
    detectors = [DETECTORS[index] for index in chosen]

    whole = weave([text], detectors, operator=operator)
    stream = weave(cut(text, places), detectors, operator=operator)
    by_character = weave(list(text), detectors, operator=operator)

    assert "".join(stream) == "".join(whole)
    assert "".join(by_character) == "".join(whole)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES, PLACES, CHOSEN, OPERATORS, st.booleans())
def test_arguments_stay_json_and_a_stream_of_them_equals_the_whole(
    value: object, places: list[int], chosen: list[int], operator: Operator, ascii_only: bool
) -> None:
    detectors = [DETECTORS[index] for index in chosen]
    text = json.dumps(value, ensure_ascii=ascii_only)

    whole = "".join(weave([text], detectors, form=Form.JSON_TEXT, operator=operator))
    stream = "".join(weave(cut(text, places), detectors, form=Form.JSON_TEXT, operator=operator))

    json.loads(whole)
    assert stream == whole


@given(st.text(st.sampled_from('ab@12{}[]":,\\un0dD8cC '), max_size=50), PLACES, CHOSEN)
def test_broken_json_streams_as_it_reads_whole(
    text: str, places: list[int], chosen: list[int]
) -> None:
    detectors = [DETECTORS[index] for index in chosen]

    whole = "".join(weave([text], detectors, form=Form.JSON_TEXT))
    stream = "".join(weave(cut(text, places), detectors, form=Form.JSON_TEXT))

    assert stream == whole


@given(TEXTS, PLACES, st.sampled_from(list(Form)))
def test_text_never_leaves_before_every_detector_has_looked_at_it(
    text: str, places: list[int], form: Form
) -> None:
    strand = Strand(form, [SHORT, LONG], b"")
    decided = [0, 0]
    left = 0
    for piece in cut(text, places):
        strand.feed(piece)
        for due in strand.due():
            assert due.window is not None
            strand.decide(due, ())
            decided[due.detector] = due.core_end
            released = strand.release()
            left += len(released.text) if released else 0
            # The character at the frontier is known, so what was dropped before it is not counted.
            assert left <= strand.place(min(decided), min(decided) + 1)[0]


@given(TEXTS)
def test_without_detectors_text_leaves_at_once_and_unchanged(text: str) -> None:
    assert weave([text], []) == [text, ""]


@pytest.mark.parametrize("form", list(Form))
def test_the_cores_of_a_text_tile_it(form: Form) -> None:
    text = json.dumps({"to": "bob smith, of somewhere", "n": [1, 2, 3]})
    strand = Strand(form, [SHORT], b"")
    strand.feed(text)
    strand.end()
    at = 0
    for due in strand.due():
        assert due.window is not None
        assert due.window.start + due.window.core_start == at
        at = due.core_end
    assert at == strand.length


def test_a_long_stream_lets_go_of_text_that_has_left() -> None:
    strand = Strand(Form.PLAIN, [SHORT], b"")
    left = 0
    for _ in range(20_000):
        strand.feed("word ")
        for due in strand.due():
            strand.decide(due, ())
        released = strand.release()
        left += len(released.text) if released else 0

    held = len(strand._looked) + len(strand._raw)

    assert left > 99_000
    assert held < 20_000


def test_a_long_stream_lets_go_of_its_way_back_as_well() -> None:
    strand = Strand(Form.PLAIN, [SHORT], b"")
    for _ in range(5_000):
        strand.feed("e\u0301\u200bﬁ \U000e0041👩\u200d👧 ")
        for due in strand.due():
            strand.decide(due, ())
        strand.release()
    view = strand._view

    assert len(view._offsets) + len(view._glued) + len(view.hidden) < 10_000
