"""A held call waits with a sign of life, its text sealed away and named by a commitment."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Action, Chunk, Finding, Finished, Kind, Opened, Role, Stage, Text
from gateway.core.policy import Decision, Hold, Ruling
from gateway.core.redact import Replace
from gateway.core.review import Choice, ReviewPart, ReviewState
from gateway.services import holds as module
from gateway.services.account import Account
from gateway.services.guard import Seen
from gateway.services.holds import TICK, Holds, edited, reply_parts
from gateway.services.reviews import ReviewDesk
from tests.factories import CALLER, make_call, make_force
from tests.fakes import HandClock
from tests.fakes_store import FakeStore

PART = ReviewPart("messages.0.content", Role.USER, Kind.TEXT, "a canary", held=True)


def make_account(hold: Hold | None = None) -> Account:
    account = Account(make_call(), CALLER, make_force(hold=hold), "chat", None, HandClock())
    rulings = tuple(
        Ruling(rule, action, Finding(label, 1.0, 0, 3, "d", "1"), Replace())
        for rule, action, label in (
            ("one", Action.HOLD, "pii.person"),
            ("one", Action.HOLD, "pii.email"),
            ("two", Action.REDACT, "pii.other"),
        )
    )
    account.seen[Stage.INPUT] = (Seen(PART.path, Decision(rulings), {}),)
    return account


async def held(store: FakeStore, secret: bytes = b"h", *parts: ReviewPart) -> str:
    holds = Holds(store.reviews, secret, HandClock())
    return await holds.open(make_account(Hold("clinical", 30)), Stage.INPUT, parts or (PART,))


async def test_a_review_names_what_held_it_and_its_record_holds_no_text() -> None:
    store = FakeStore()
    review = await store.reviews.get(await held(store))

    assert (review.queue, review.stage, review.state) == ("clinical", Stage.INPUT, ReviewState.OPEN)
    assert review.rules == ("one",)
    assert review.labels == ("pii.person", "pii.email")
    assert review.created is not None
    assert review.due_at is not None
    assert (review.due_at - review.created).total_seconds() == 30
    assert [one.kind for one in store.ledger.records] == ["inference.held"]
    assert "canary" not in repr(store.ledger.records) + repr(review)


async def commitment(secret: bytes, part: ReviewPart) -> str:
    store = FakeStore()
    return (await store.reviews.get(await held(store, secret, part))).commitment


async def test_the_commitment_hangs_on_the_text_its_place_and_the_secret() -> None:
    other = ReviewPart(PART.path, PART.role, PART.kind, "b canary", held=True)
    moved = ReviewPart("messages.1.content", PART.role, PART.kind, PART.text, held=True)
    asked = [(b"h", PART), (b"h", PART), (b"i", PART), (b"h", other), (b"h", moved)]

    told = [await commitment(secret, part) for secret, part in asked]

    assert told[0] == told[1]
    assert len(set(told)) == 4


async def test_who_waits_hears_at_once_and_then_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "POLL", 0)
    store, clock = FakeStore(), HandClock()
    holds = Holds(store.reviews, b"h", clock)
    review = await held(store)
    heard: list[float] = []
    async for _ in holds.wait(review):
        heard.append(clock.seconds)
        clock.advance(TICK)
        if len(heard) == 3:
            await ReviewDesk(store.reviews, clock).approve(review, "ann")

    assert heard == [0, TICK, 2 * TICK]


async def test_waiting_ends_when_the_time_is_up() -> None:
    store = FakeStore()
    holds = Holds(store.reviews, b"h", HandClock())
    review = await held(store)
    store.database.age(31)

    assert [_ async for _ in holds.wait(review)] == []
    assert (await store.reviews.get(review)).state is ReviewState.EXPIRED


@pytest.mark.parametrize(
    ("on_timeout", "go_on"),
    [(Action.BLOCK, False), (Action.ALLOW, True), (Action.FLAG, True)],
)
async def test_where_nobody_decided_the_policy_does(on_timeout: Action, go_on: bool) -> None:
    store = FakeStore()
    outcome = await Holds(store.reviews, b"h", HandClock()).outcome(await held(store), on_timeout)

    assert (outcome.go_on, outcome.decided, outcome.edits) == (go_on, False, {})


@pytest.mark.parametrize("choice", list(Choice))
async def test_a_persons_decision_goes_before_the_policys(choice: Choice) -> None:
    store = FakeStore()
    review, desk = await held(store), ReviewDesk(store.reviews, HandClock())
    if choice is Choice.EDIT:
        await desk.edit(review, "ann", "other")
    elif choice is Choice.BLOCK:
        await desk.block(review, "ann", "no")
    else:
        await desk.approve(review, "ann")

    for on_timeout in (Action.ALLOW, Action.BLOCK):
        outcome = await Holds(store.reviews, b"h", HandClock()).outcome(review, on_timeout)
        assert outcome.decided
        assert outcome.go_on is (choice is not Choice.BLOCK)
        assert outcome.edits == ({PART.path: "other"} if choice is Choice.EDIT else {})


TEXTS = st.lists(
    st.tuples(
        st.integers(0, 1), st.sampled_from(["content", "reasoning_content"]), st.text(max_size=5)
    ),
    max_size=8,
)


def rest(texts: list[tuple[int, str, str]]) -> Chunk:
    parts = [Text(choice, slot, Kind.TEXT, text) for choice, slot, text in texts]
    return Chunk((Opened(0), *parts, Finished(0, "stop")), {"id": "x"})


@given(TEXTS)
def test_a_reviewer_sees_one_part_for_each_field(texts: list[tuple[int, str, str]]) -> None:
    parts = reply_parts(rest(texts), {"choices.0.content"}, {"choices.1.content": "before"})

    joined: dict[str, str] = {}
    for choice, slot, text in texts:
        origin = f"choices.{choice}.{slot}"
        joined[origin] = joined.get(origin, "") + text
    assert {one.path: one.text for one in parts} == joined
    for one in parts:
        assert one.held is (one.path == "choices.0.content")
        assert one.delivered == ("before" if one.path == "choices.1.content" else "")


@given(TEXTS)
def test_an_edit_takes_the_place_of_the_whole_field_and_of_no_other(
    texts: list[tuple[int, str, str]],
) -> None:
    chunk = rest(texts)
    after = edited(chunk, {"choices.0.content": "new"})

    before_parts = {one.path: one.text for one in reply_parts(chunk, set(), {})}
    after_parts = {one.path: one.text for one in reply_parts(after, set(), {})}
    expected = {
        path: "new" if path == "choices.0.content" else text for path, text in before_parts.items()
    }
    assert after_parts == expected
    assert (after.parts[0], after.parts[-1]) == (chunk.parts[0], chunk.parts[-1])
    assert after.envelope == chunk.envelope
    assert edited(chunk, {}) == chunk


async def test_a_waiter_that_leaves_stops_asking() -> None:
    store = FakeStore()
    holds, review = Holds(store.reviews, b"h", HandClock()), await held(store)

    async def wait() -> None:
        async for _ in holds.wait(review):
            pass

    waiting = asyncio.get_running_loop().create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    assert waiting.cancelled()
