"""PostgreSQL goes, freezes and comes back: refusals within seconds, then all is well by itself."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from gateway.core.errors import AuditUnavailable
from gateway.core.model import Receipt
from gateway.store.database import run
from gateway.store.postgres import PostgresDatabase
from gateway.store.store import Store, open_store
from tests.postgres import Postgres, postgres
from tests.store.worlds import decision, intent, log, note

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One of our own, since we stop it."""
    with postgres() as started:
        yield started


@pytest.fixture
async def store(server: Postgres, tmp_path: Path) -> AsyncGenerator[Store, None]:
    async with open_store(server.empty(), tmp_path, "one") as opened:
        yield opened


async def test_it_is_a_real_server_of_version_18(server: Postgres) -> None:
    database = PostgresDatabase(make_url(server.url()))
    try:
        rows = await database.read(lambda c: run(c, "SHOW server_version", ()))
    finally:
        await database.close()

    assert rows[0][0].startswith("18.")


async def test_a_server_that_was_restarted_is_not_noticed(server: Postgres, store: Store) -> None:
    await asyncio.gather(*(store.ledger.append(note()) for _ in range(20)))
    await store.keys.count()

    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)

    assert (await store.ledger.append(note())).seq == 21
    assert await store.keys.count() == 0


async def test_a_stopped_server_is_a_refusal_at_once_and_passes(
    server: Postgres, store: Store
) -> None:
    await store.ledger.append(intent("a"))
    await asyncio.to_thread(server.stop)
    began = time.monotonic()
    answers = await asyncio.gather(
        *(store.ledger.append(note()) for _ in range(20)),
        store.keys.find("k"),
        store.reviews.list(),
        store.ping(),
        store.ledger.heartbeat(),
        return_exceptions=True,
    )
    took = time.monotonic() - began
    await asyncio.to_thread(server.start)

    assert all(isinstance(answer, AuditUnavailable) for answer in answers)
    assert took < 2.5
    await store.ledger.append(decision("a"))
    assert len(await log(store)) == 2


async def test_a_server_cut_under_load_loses_no_receipt_and_leaves_no_call_open(
    server: Postgres, store: Store
) -> None:
    receipts: list[Receipt] = []
    ended = asyncio.Event()

    async def caller(name: int) -> None:
        turn = 0
        while not ended.is_set():
            turn += 1
            try:
                receipts.append(await store.ledger.append(intent(f"{name}-{turn}")))
                receipts.append(await store.ledger.append(decision(f"{name}-{turn}")))
            except AuditUnavailable:
                await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        for name in range(32):
            group.create_task(caller(name))
        for _ in range(2):
            await asyncio.sleep(0.4)
            await asyncio.to_thread(server.crash)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(0.4)
        ended.set()
    await store.ledger.heartbeat()
    for _ in range(500):
        if await _open_calls(server) == 0:
            break
        await asyncio.sleep(0.02)
    assert await _open_calls(server) == 0

    kept = {body["id"]: seq for seq, body in enumerate(await log(store), 1)}
    assert len(receipts) > 100
    assert [one for one in receipts if kept.get(one.record) != one.seq] == []


async def _open_calls(server: Postgres) -> int:
    database = PostgresDatabase(make_url(server.url()))
    try:
        rows = await database.read(lambda c: run(c, "SELECT count(*) FROM open_call", ()))
    finally:
        await database.close()
    return rows[0][0]


async def test_a_frozen_server_is_a_refusal_within_seconds_and_passes(
    server: Postgres, store: Store
) -> None:
    await store.ledger.append(note())
    server.freeze()
    try:
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(AuditUnavailable):
                await store.ledger.append(note())
        assert time.monotonic() - began < 5.5
    finally:
        server.thaw()

    async with asyncio.timeout(15):
        while True:
            try:
                await store.ledger.append(note())
                break
            except AuditUnavailable:
                await asyncio.sleep(0.1)
    await store.ping()


async def test_a_lock_held_by_another_replica_is_a_refusal_and_passes(
    server: Postgres, store: Store
) -> None:
    import asyncpg  # noqa: PLC0415

    other = await asyncpg.connect(server.url())
    await other.execute("BEGIN; SELECT * FROM audit_head FOR UPDATE")
    began = time.monotonic()
    with pytest.raises(AuditUnavailable):
        await store.ledger.append(note())
    assert time.monotonic() - began < 3
    await other.close()

    await store.ledger.append(note())


async def test_a_caller_that_leaves_in_mid_transaction_leaves_the_pool_whole(
    server: Postgres, store: Store
) -> None:
    tasks = [asyncio.get_running_loop().create_task(store.reviews.list()) for _ in range(40)]
    await asyncio.sleep(0.002)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert await asyncio.gather(*(store.keys.count() for _ in range(40))) == [0] * 40


def test_the_sslmode_that_people_write_is_understood() -> None:
    url = "postgresql://a@db/x?sslmode=require"
    database = PostgresDatabase(make_url(url))

    assert database._url.query == {"ssl": "require"}
