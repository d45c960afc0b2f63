"""Cores tile a text by its words; a window is settled neither early nor late."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import Reach
from gateway.core.windows import NUDGE, Cut, Known, core_end, joins, next_cut

REACH = Reach(min=4, max=8, before=3, after=2)


def cuts(text: str, reach: Reach = REACH) -> list[Cut]:
    known, found, at = Known(text, 0, ended=True), list[Cut](), 0
    while cut := next_cut(known, at, reach):
        found.append(cut)
        at = cut.core_end
    return found


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("abcd efgh", 5),
        ("ab cdefghijk", 8),
        ("abcdefg hij", 8),
        ("abcdefgh\u0301\u0301xyz", 10),
        ("abcdefgh" + "\u0301" * 30, 8 + NUDGE),
        ("abc", 3),
    ],
    ids=["edge", "edge before min", "edge at max", "marks", "endless marks", "end"],
)
def test_a_core_ends_at_a_word_or_at_its_longest(text: str, end: int) -> None:
    assert core_end(Known(text, 0, ended=True), 0, REACH) == end


@given(st.text(st.sampled_from("ab \n\u0301\u200d"), max_size=80))
def test_cores_tile_the_text_and_windows_add_context(text: str) -> None:
    found = cuts(text)

    assert [cut.core_start for cut in found[1:]] == [cut.core_end for cut in found[:-1]]
    assert (found[-1].core_end if found else 0) == len(text)
    for cut in found:
        window = cut.window
        begin = max(cut.core_start - REACH.before, 0)
        assert window.start == begin
        assert window.text == text[begin : min(cut.core_end + REACH.after, len(text))]
        assert window.start + window.core_start == cut.core_start


@given(st.text(st.sampled_from("ab \n\u0301"), min_size=1, max_size=60))
def test_a_window_is_settled_by_the_first_prefix_that_knows_it(text: str) -> None:
    first = cuts(text)[0]

    for length in range(len(text) + 1):
        early = next_cut(Known(text[:length], 0, ended=False), 0, REACH)
        if length < first.settled:
            assert early is None
        else:
            assert early == first


def test_cuts_do_not_depend_on_what_was_let_go() -> None:
    text = "one two three four five six seven eight"
    for before, cut in pairwise(cuts(text)):
        base = cut.window.start
        assert next_cut(Known(text[base:], base, ended=True), before.core_end, REACH) == cut


def test_what_joins() -> None:
    assert all(joins(character) for character in "\u0301\u200d\ufe0f\U000e0101")
    assert not any(joins(character) for character in "a \U0001f600")
