"""The reviews' contract, wherever they are kept."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.core.errors import ReviewConflict, ReviewNotFound
from gateway.core.review import Choice, Review, ReviewState, Verdict
from gateway.store.append import AlreadyClosed
from tests.store.worlds import PARTS, REVIEW, a_review, decision, intent, log, note

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 18, 0, 0, tzinfo=UTC)
APPROVE = Verdict(Choice.APPROVE, by="ada")


async def opened(world: Any, wait: float = 30.0) -> Any:
    store = await world.replica()
    await store.ledger.append(intent("call-1"))
    await store.reviews.open(REVIEW, wait, PARTS, note("inference.held", "call-1"))
    return store


async def kinds(store: Any) -> list[str]:
    return [body["kind"] for body in await log(store)]


async def test_a_review_is_open_until_it_is_due(world: Any) -> None:
    store = await opened(world)

    review = await store.reviews.get("review-1")

    assert review.state == ReviewState.OPEN
    assert review.due_at - review.created == pytest.approx(
        timedelta(seconds=30), abs=timedelta(milliseconds=5)
    )
    assert (review.call, review.stage, review.queue) == ("call-1", REVIEW.stage, "clinical")
    assert (review.rules, review.labels) == (REVIEW.rules, REVIEW.labels)
    assert (review.commitment, review.choice, review.reason) == ("c0ffee", None, None)
    assert await kinds(store) == ["inference.intent", "inference.held"]


async def test_the_parts_come_back_as_they_were(world: Any) -> None:
    store = await opened(world)

    assert await store.reviews.parts("review-1") == PARTS


async def test_a_decision_is_stored_with_its_record(world: Any) -> None:
    store = await opened(world)
    verdict = Verdict(Choice.EDIT, "ada", "too harsh", (("choices.0.message.content", "mild"),))

    review = await store.reviews.decide("review-1", verdict, note("review.decided", "call-1"))

    assert (review.state, review.choice, review.reason) == ("decided", "edit", "too harsh")
    assert await store.reviews.verdict("review-1") == verdict
    assert (await kinds(store))[-1] == "review.decided"


async def test_an_open_review_has_no_verdict(world: Any) -> None:
    store = await opened(world)

    assert await store.reviews.verdict("review-1") is None


async def test_of_many_decisions_one_holds(world: Any) -> None:
    one = await opened(world)
    two = await world.replica("two")

    answers = await asyncio.gather(
        *(
            store.reviews.decide("review-1", Verdict(Choice.BLOCK, f"p{n}"), note("review.decided"))
            for n, store in enumerate([one, two] * 5)
        ),
        return_exceptions=True,
    )

    [winner] = [n for n, answer in enumerate(answers) if isinstance(answer, Review)]
    losers = [answer for answer in answers if isinstance(answer, ReviewConflict)]
    assert len(losers) == 9
    assert all("decided" in loser.message for loser in losers)
    assert (await one.reviews.verdict("review-1")).by == f"p{winner}"
    assert (await kinds(one)).count("review.decided") == 1


async def test_a_review_past_its_time_is_expired_and_stays_so(world: Any) -> None:
    store = await opened(world)
    await world.age(31)

    assert (await store.reviews.get("review-1")).state == ReviewState.EXPIRED
    assert (await store.reviews.get("review-1")).state == ReviewState.EXPIRED
    assert (await kinds(store)).count("review.expired") == 1


async def test_nobody_decides_a_review_past_its_time(world: Any) -> None:
    store = await opened(world)
    await world.age(31)

    with pytest.raises(ReviewConflict, match="expired"):
        await store.reviews.decide("review-1", APPROVE, note("review.decided"))
    assert await store.reviews.verdict("review-1") is None
    assert (await kinds(store))[2:] == ["review.expired"]


async def test_a_review_expires_once_however_many_look(world: Any) -> None:
    one = await opened(world)
    two = await world.replica("two")
    await world.age(31)

    seen = await asyncio.gather(*(store.reviews.get("review-1") for store in [one, two] * 5))

    assert {review.state for review in seen} == {ReviewState.EXPIRED}
    assert (await kinds(one)).count("review.expired") == 1


async def test_reviews_are_listed_by_state_the_first_due_first(world: Any) -> None:
    store = await opened(world, wait=60)
    await store.reviews.open(a_review("sooner"), 30, [], note())
    await store.reviews.open(a_review("late"), 1, [], note())
    await store.reviews.open(a_review("done"), 90, [], note())
    await store.reviews.decide("done", APPROVE, note())
    await world.age(5)

    async def listed(state: str | None) -> list[str]:
        return [review.id for review in await store.reviews.list(state)]

    assert await listed("expired") == ["late"]
    assert await listed("open") == ["sooner", "review-1"]
    assert await listed("decided") == ["done"]
    assert await listed(None) == ["late", "sooner", "review-1", "done"]


async def test_what_is_not_there_is_not_found(world: Any) -> None:
    store = await world.replica()
    reviews = store.reviews

    for asked in (reviews.get, reviews.parts, reviews.verdict):
        with pytest.raises(ReviewNotFound):
            await asked("nothing")
    with pytest.raises(ReviewNotFound):
        await reviews.decide("nothing", APPROVE, note())
    assert await log(store) == []


async def test_a_review_whose_id_is_taken_changes_nothing(world: Any) -> None:
    store = await opened(world)

    with pytest.raises(ValueError, match="exists already"):
        await store.reviews.open(REVIEW, 30, [], note())
    assert await store.reviews.parts("review-1") == PARTS
    assert len(await log(store)) == 2


async def test_a_decision_that_cannot_be_recorded_is_not_taken(world: Any) -> None:
    store = await opened(world)

    with pytest.raises(AlreadyClosed):
        await store.reviews.decide("review-1", APPROVE, decision("a-call-that-is-not-open"))
    assert (await store.reviews.get("review-1")).state == ReviewState.OPEN
    assert await store.reviews.verdict("review-1") is None


async def test_a_held_call_is_left_to_its_review_and_closed_after_it(world: Any) -> None:
    dead = await opened(world, wait=60)
    alive = await world.replica("alive")
    await world.die(dead)
    await world.age(11)
    await alive.ledger.heartbeat()

    assert await alive.ledger.close_abandoned(now=NOW) == 0
    await alive.reviews.decide("review-1", APPROVE, note("review.decided"))
    assert await alive.ledger.close_abandoned(now=NOW) == 1
    assert (await kinds(alive))[-1] == "inference.interrupted"


async def test_a_held_call_is_closed_when_its_review_has_expired(world: Any) -> None:
    dead = await opened(world, wait=20)
    alive = await world.replica("alive")
    await world.die(dead)
    await world.age(21)
    await alive.ledger.heartbeat()

    assert await alive.ledger.close_abandoned(now=NOW) == 1
