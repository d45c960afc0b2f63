"""A person decides on a held call once, for one part, and the log learns of it without a word."""

from __future__ import annotations

import pytest

from gateway.core.errors import ReviewConflict, ReviewNotFound
from gateway.core.model import Kind, Role, Stage
from gateway.core.ports import Entry
from gateway.core.records import Record
from gateway.core.review import Choice, Review, ReviewPart, ReviewState
from gateway.services.reviews import ReviewDesk
from tests.fakes import HandClock
from tests.fakes_store import FakeStore


def part(path: str, *, held: bool = True) -> ReviewPart:
    return ReviewPart(path, Role.USER, Kind.TEXT, "a canary", held=held)


async def desk(*parts: ReviewPart, wait: float = 30) -> tuple[ReviewDesk, FakeStore]:
    """A desk with one review, `rev_1`."""
    store = FakeStore()
    review = Review("rev_1", "call_1", Stage.INPUT, "q", "house@0123", ("r",), ("pii",), "c0ffee")
    record = Record("rec_1", "inference.held", "call_1", "2030-01-01T00:00:00.000000Z")
    await store.reviews.open(review, wait, parts or (part("a"),), Entry(record, opens=True))
    return ReviewDesk(store.reviews, HandClock()), store


async def test_each_decision_is_a_record_bound_to_what_was_shown() -> None:
    one, store = await desk()
    await one.approve("rev_1", "cli:ann")

    record = store.ledger.records[-1]
    assert (record.kind, record.call, record.policy) == ("review.decided", "call_1", "house@0123")
    assert record.detail == {
        "review": "rev_1",
        "choice": "approve",
        "by": "cli:ann",
        "commitment": "c0ffee",
        "edited": [],
    }


async def test_neither_reason_nor_edited_text_is_in_the_log() -> None:
    for number in range(2):
        one, store = await desk()
        if number:
            await one.block("rev_1", "ann", "it says canary")
        else:
            await one.edit("rev_1", "ann", "another canary")
        assert "canary" not in repr(store.ledger.records)


async def test_an_edit_without_a_part_is_of_the_only_one_held() -> None:
    one, store = await desk(part("a", held=False), part("b"), part("c", held=False))
    await one.edit("rev_1", "ann", "new")

    verdict = await store.reviews.verdict("rev_1")
    assert verdict is not None
    assert (verdict.choice, verdict.edits) == (Choice.EDIT, (("b", "new"),))
    assert store.ledger.records[-1].detail["edited"] == ["b"]


@pytest.mark.parametrize(
    ("parts", "path"),
    [(("a", "b"), None), (("a",), "missing"), ((), None)],
    ids=["two held", "unknown part", "none held"],
)
async def test_an_edit_that_means_no_part_is_refused_with_their_names(
    parts: tuple[str, ...], path: str | None
) -> None:
    one, store = await desk(*map(part, parts), part("other", held=False))

    with pytest.raises(ReviewConflict, match="other"):
        await one.edit("rev_1", "ann", "new", path)

    assert (await store.reviews.get("rev_1")).state is ReviewState.OPEN


async def test_one_of_several_held_parts_can_be_named() -> None:
    one, store = await desk(part("a"), part("b"))
    await one.edit("rev_1", "ann", "new", "b")

    verdict = await store.reviews.verdict("rev_1")
    assert verdict is not None
    assert verdict.edits == (("b", "new"),)


async def test_a_second_decision_is_refused_and_leaves_no_record() -> None:
    one, store = await desk()
    await one.approve("rev_1", "ann")
    count = len(store.ledger.records)

    for again in (one.approve("rev_1", "bob"), one.block("rev_1", "bob", "no")):
        with pytest.raises(ReviewConflict, match="decided"):
            await again

    assert len(store.ledger.records) == count
    verdict = await store.reviews.verdict("rev_1")
    assert verdict is not None
    assert verdict.by == "ann"


async def test_nothing_is_decided_after_its_time() -> None:
    one, store = await desk(wait=5)
    store.database.age(6)

    with pytest.raises(ReviewConflict, match="expired"):
        await one.approve("rev_1", "ann")


async def test_a_review_that_does_not_exist_is_not_found() -> None:
    one, _ = await desk()

    for work in (one.show("rev_2"), one.approve("rev_2", "ann"), one.edit("rev_2", "ann", "x")):
        with pytest.raises(ReviewNotFound):
            await work


async def test_the_list_is_of_one_state_or_of_all() -> None:
    one, _ = await desk()
    await one.approve("rev_1", "ann")

    assert await one.list(ReviewState.OPEN) == []
    assert [review.id for review in await one.list(ReviewState.DECIDED)] == ["rev_1"]
    assert [review.id for review in await one.list()] == ["rev_1"]


async def test_showing_a_review_shows_its_text() -> None:
    one, _ = await desk(part("a"), part("b", held=False))

    review, parts = await one.show("rev_1")

    assert review.id == "rev_1"
    assert [(each.path, each.text) for each in parts] == [("a", "a canary"), ("b", "a canary")]
