"""The ledger's contract, wherever it is kept; and what only the real writer must bear."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.core.errors import AuditUnavailable
from gateway.core.model import Receipt
from gateway.core.records import leaf_hash
from gateway.store.append import AlreadyClosed
from gateway.store.ledger import MOST_WAITING
from tests.store.worlds import SqlWorld, decision, intent, log, note

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 18, 0, 0, 123456, tzinfo=UTC)


async def test_a_receipt_names_the_record_and_its_place(world: Any) -> None:
    store = await world.replica()

    first = await store.ledger.append(intent("a", name="one"))
    second = await store.ledger.append(decision("a", name="two"))

    assert (first, second) == (Receipt("one", 1), Receipt("two", 2))


async def test_the_stored_bytes_are_the_hashed_bytes(world: Any) -> None:
    store = await world.replica()
    await store.ledger.append(note(labels=["pii.person"], person="Zoë"))

    [(_, body, leaf)] = [entry async for entry in store.audit.entries()]

    assert leaf == leaf_hash(body)


async def test_a_call_is_closed_once(world: Any) -> None:
    store = await world.replica()
    await store.ledger.append(intent("a"))
    await store.ledger.append(decision("a"))

    with pytest.raises(AlreadyClosed):
        await store.ledger.append(decision("a"))
    assert len(await log(store)) == 2


async def test_a_call_that_was_never_opened_cannot_be_closed(world: Any) -> None:
    store = await world.replica()

    with pytest.raises(AlreadyClosed):
        await store.ledger.append(decision("nobody"))
    assert await log(store) == []


async def test_a_call_is_opened_once(world: Any) -> None:
    store = await world.replica()
    await store.ledger.append(intent("a"))

    with pytest.raises(AuditUnavailable):
        await store.ledger.append(intent("a"))
    assert len(await log(store)) == 1


async def test_an_entry_sent_again_gets_its_first_receipt(world: Any) -> None:
    store = await world.replica()
    opening, closing = intent("a"), decision("a")
    receipts = [await store.ledger.append(opening), await store.ledger.append(closing)]

    again = [await store.ledger.append(opening), await store.ledger.append(closing)]

    assert again == receipts
    assert len(await log(store)) == 2


async def test_another_record_under_a_taken_id_is_refused(world: Any) -> None:
    store = await world.replica()
    await store.ledger.append(note(name="same", x=1))

    with pytest.raises(AuditUnavailable):
        await store.ledger.append(note(name="same", x=2))
    assert [body["x"] for body in await log(store)] == [1]


@pytest.mark.parametrize("bad", [{"score": 0.5}, {"big": 2**53}, {"long": "x" * 70_000}])
async def test_a_record_outside_its_profile_is_refused(world: Any, bad: dict[str, Any]) -> None:
    store = await world.replica()

    with pytest.raises(ValueError, match="record"):
        await store.ledger.append(note(**bad))
    assert await log(store) == []


async def test_an_entry_that_opens_names_its_call(world: Any) -> None:
    store = await world.replica()

    with pytest.raises(ValueError, match="names it"):
        await store.ledger.append(intent(None))  # type: ignore[arg-type]


async def test_the_calls_of_a_live_replica_stay_open(world: Any) -> None:
    store, other = await world.replica("one"), await world.replica("two")
    await store.ledger.append(intent("a"))
    await world.age(9)

    assert await other.ledger.close_abandoned(now=NOW) == 0


async def test_a_heartbeat_keeps_a_lease(world: Any) -> None:
    store, other = await world.replica("one"), await world.replica("two")
    await store.ledger.append(intent("a"))
    await world.age(9)
    await store.ledger.heartbeat()
    await world.age(9)

    assert await other.ledger.close_abandoned(now=NOW) == 0


async def test_the_calls_of_a_dead_replica_are_closed_as_interrupted(world: Any) -> None:
    dead, alive = await world.replica("one"), await world.replica("two")
    await dead.ledger.append(intent("a", name="the-intent"))
    await dead.ledger.append(intent("b"))
    await dead.ledger.append(decision("b"))
    await world.die(dead)
    await world.age(11)
    await alive.ledger.heartbeat()

    assert await alive.ledger.close_abandoned(now=NOW) == 1
    assert await alive.ledger.close_abandoned(now=NOW) == 0
    last = (await log(alive))[-1]
    assert (last["kind"], last["call"]) == ("inference.interrupted", "a")
    assert (last["outcome"], last["intent"]) == ("interrupted", "the-intent")
    assert last["policy"] == "base@0123456789ab"


async def test_two_sweepers_close_each_call_once(world: Any) -> None:
    dead, one, two = [await world.replica(name) for name in ("dead", "one", "two")]
    await asyncio.gather(*(dead.ledger.append(intent(f"c{n}")) for n in range(300)))
    await world.age(11)

    closed = await asyncio.gather(
        one.ledger.close_abandoned(now=NOW), two.ledger.close_abandoned(now=NOW)
    )

    assert sum(closed) == 300
    interrupted = [b["call"] for b in await log(one) if b["kind"] == "inference.interrupted"]
    assert sorted(interrupted) == sorted(f"c{n}" for n in range(300))


async def test_a_replica_taken_for_dead_cannot_release_any_more(world: Any) -> None:
    slow, other = await world.replica("one"), await world.replica("two")
    await slow.ledger.append(intent("a"))
    await world.age(11)
    await other.ledger.close_abandoned(now=NOW)

    with pytest.raises(AlreadyClosed):
        await slow.ledger.append(decision("a"))


async def test_64_appenders_make_one_gapless_sequence(world: Any) -> None:
    one, two = await world.replica("one"), await world.replica("two")

    async def caller(store: Any, name: int) -> list[int]:
        seqs = []
        for turn in range(5):
            call = f"{name}-{turn}"
            seqs.append((await store.ledger.append(intent(call))).seq)
            seqs.append((await store.ledger.append(decision(call))).seq)
        return seqs

    done = await asyncio.gather(*(caller((one, two)[n % 2], n) for n in range(64)))

    assert all(seqs == sorted(seqs) for seqs in done)
    assert sorted(seq for seqs in done for seq in seqs) == list(range(1, 641))
    ids = [body["id"] for body in await log(one)]
    assert len(set(ids)) == 640


async def test_one_bad_entry_does_not_spoil_its_batch(sql: SqlWorld) -> None:
    store = await sql.replica()
    await store.ledger.append(note(name="taken"))

    answers = await asyncio.gather(
        *(store.ledger.append(intent(f"c{n}")) for n in range(8)),
        store.ledger.append(note(name="taken", x=1)),
        store.ledger.append(decision("nobody")),
        *(store.ledger.append(note()) for _ in range(8)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, Receipt) for answer in answers) == 16
    assert isinstance(answers[8], AuditUnavailable)
    assert isinstance(answers[9], AlreadyClosed)
    assert len(await log(store)) == 17


async def test_of_many_who_close_a_call_at_once_one_does(sql: SqlWorld) -> None:
    store = await sql.replica()
    await store.ledger.append(intent("a"))

    answers = await asyncio.gather(
        *(store.ledger.append(decision("a")) for _ in range(20)), return_exceptions=True
    )

    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
    assert sum(isinstance(answer, AlreadyClosed) for answer in answers) == 19
    assert len(await log(store)) == 2


async def test_callers_that_leave_break_no_batch_and_leave_no_call_open(sql: SqlWorld) -> None:
    store = await sql.replica()
    chance = random.Random(7)

    async def caller(n: int) -> Receipt:
        return await store.ledger.append(intent(f"c{n}"))

    tasks = [asyncio.get_running_loop().create_task(caller(n)) for n in range(200)]
    for task in tasks:
        if chance.random() < 0.5:
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    kept = {f"c{n}" for n, answer in enumerate(answers) if isinstance(answer, Receipt)}
    assert 0 < len(kept) < 200
    for call in kept:
        await store.ledger.append(decision(call))
    await _all_closed(sql)

    bodies = await log(store)
    for kind in ("inference.decision", "inference.interrupted"):
        closed = {body["call"] for body in bodies if body["kind"] == kind}
        assert closed.isdisjoint(kept) == (kind == "inference.interrupted")
    opened = [body["call"] for body in bodies if body["kind"] == "inference.intent"]
    assert len(bodies) == 2 * len(opened)


async def test_a_caller_that_leaves_as_its_receipt_comes_leaves_no_call_open(
    sql: SqlWorld,
) -> None:
    store = await sql.replica()
    leaving: list[asyncio.Task[Receipt]] = []

    async def first() -> None:
        await store.ledger.append(note())
        # Both were answered by one commit; the second has its receipt and has not run yet.
        leaving[0].cancel()

    one = asyncio.get_running_loop().create_task(first())
    leaving.append(asyncio.get_running_loop().create_task(store.ledger.append(intent("a"))))
    await one
    with pytest.raises(asyncio.CancelledError):
        await leaving[0]
    await _all_closed(sql)

    kinds = [body["kind"] for body in await log(store)]
    assert kinds == ["key.created", "inference.intent", "inference.interrupted"]


async def test_more_than_may_wait_are_refused_at_once(sql: SqlWorld) -> None:
    store = await sql.replica()

    answers = await asyncio.gather(
        *(store.ledger.append(note()) for _ in range(MOST_WAITING + 100)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, AuditUnavailable)]
    assert len(refused) == 100
    assert len(await log(store)) == MOST_WAITING


async def test_what_waits_when_the_store_closes_is_written(sql: SqlWorld) -> None:
    store = await sql.replica()
    waiting = [
        asyncio.get_running_loop().create_task(store.ledger.append(note())) for _ in range(20)
    ]
    await asyncio.sleep(0)
    await sql.close()

    assert len(await asyncio.gather(*waiting)) == 20
    with pytest.raises(AuditUnavailable):
        await store.ledger.append(note())


async def test_a_clean_end_gives_up_the_lease(sql: SqlWorld) -> None:
    store = await sql.replica()
    await store.ledger.append(intent("a"))
    await sql.close()
    other = await sql.replica()

    assert await other.ledger.close_abandoned(now=NOW) == 1


async def _all_closed(sql: SqlWorld) -> None:
    """Come back when no call is open; fail after a while."""
    for _ in range(500):
        if await _open_calls(sql) == 0:
            return
        await asyncio.sleep(0.01)
    pytest.fail("calls stay open")


async def _open_calls(sql: SqlWorld) -> int:
    return await sql.write(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM open_call").scalar()
    )
