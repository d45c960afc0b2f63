"""Reading the log: in order, whole, and as it was when the reading began."""

import asyncio
from typing import Any

import pytest

from gateway.store.audit import PAGE
from tests.store.worlds import SqlWorld, log, note

pytestmark = pytest.mark.anyio


async def test_an_empty_log_has_no_entries(world: Any) -> None:
    store = await world.replica()

    assert await log(store) == []
    assert await store.audit.size() == 0


async def test_entries_come_in_order_over_many_pages(world: Any) -> None:
    store = await world.replica()
    count = 2 * PAGE + 3
    await asyncio.gather(*(store.ledger.append(note(n=n)) for n in range(count)))

    assert [body["n"] for body in await log(store)] == list(range(count))
    assert len(await log(store, after=PAGE)) == count - PAGE
    assert await log(store, after=count) == []
    assert await store.audit.size() == count


async def test_what_is_appended_while_reading_is_not_read(sql: SqlWorld) -> None:
    store = await sql.replica()
    await asyncio.gather(*(store.ledger.append(note()) for _ in range(PAGE + 1)))
    seen = 0

    async for _ in store.audit.entries():
        seen += 1
        if seen % 64 == 0:
            await store.ledger.append(note())

    assert seen == PAGE + 1


async def test_a_database_that_answers_answers_the_ping(world: Any) -> None:
    store = await world.replica()

    await store.ping()
