"""Offsets go there and back through what was dropped, composed and expanded."""

from __future__ import annotations

import pytest

from gateway.core.offsets import Change, Offsets


@pytest.fixture
def offsets() -> Offsets:
    """`a[zwsp]b[e+mark]c[ﬁ][vs][zwsp]d`: canonical `ab` `é` `c` `fi` `d`."""
    made = Offsets()
    made.add(Change(1, 1, 1, 2, 1))
    made.add(Change(2, 3, 3, 5, 5))
    made.add(Change(4, 6, 6, 7, 7))
    made.add(Change(6, 6, 7, 9, 8))
    return made


def test_each_character_begins_and_ends_where_it_stands(offsets: Offsets) -> None:
    assert [offsets.start_of(looked) for looked in range(8)] == [0, 2, 3, 5, 6, 6, 9, 10]
    assert [offsets.end_of(looked) for looked in range(8)] == [0, 1, 3, 5, 6, 7, 7, 10]


def test_what_was_dropped_may_belong_to_the_character_before(offsets: Offsets) -> None:
    assert [offsets.joined_end_of(looked) for looked in (0, 1, 2, 6, 7)] == [0, 1, 3, 8, 10]


def test_an_atom_is_met_from_its_inside_alone(offsets: Offsets) -> None:
    assert offsets.atom(5) == (4, 6)
    assert [offsets.atom(looked) for looked in (2, 4, 6)] == [(2, 2), (4, 4), (6, 6)]


def test_inner_places_outside_changes_have_a_canonical_one(offsets: Offsets) -> None:
    assert [offsets.looked_of(inner) for inner in (0, 2, 5, 9, 10)] == [0, 1, 3, 6, 7]


def test_what_is_forgotten_changes_no_later_answer(offsets: Offsets) -> None:
    before = [(offsets.start_of(at), offsets.end_of(at), offsets.atom(at)) for at in range(4, 8)]

    offsets.forget(4)

    assert len(offsets) == 2
    assert before == [
        (offsets.start_of(at), offsets.end_of(at), offsets.atom(at)) for at in range(4, 8)
    ]


def test_without_changes_the_texts_run_side_by_side() -> None:
    offsets = Offsets()

    assert offsets.start_of(9) == offsets.end_of(9) == offsets.joined_end_of(9) == 9
    assert offsets.atom(9) == (9, 9)
    assert len(offsets) == 0
