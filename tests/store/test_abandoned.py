"""Leases and interruptions; the sweeping itself is in the contracts of ledger and reviews."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.store.abandoned import (
    CLOSED_AT_ONCE,
    end_lease,
    forget_dead_leases,
    interruption,
    renew_lease,
    timestamp,
)
from gateway.store.database import run
from tests.store.worlds import SqlWorld, intent, log

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 19, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))


def leases(connection: Connection) -> list[str]:
    return [row[0] for row in run(connection, "SELECT id FROM replica ORDER BY id", ())]


def test_a_timestamp_is_utc_with_microseconds() -> None:
    assert timestamp(NOW) == "2026-11-23T18:00:00.000005Z"
    assert timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"


def test_an_interruption_closes_and_names_its_intent_if_it_knows_it() -> None:
    known = interruption("c", "i", "p@1", record_id="r", now=NOW)
    unknown = interruption("c", None, None, record_id="r", now=NOW)

    assert known.closes
    assert not known.opens
    assert known.record.detail == {"outcome": "interrupted", "intent": "i"}
    assert unknown.record.detail == {"outcome": "interrupted"}


async def test_a_lease_is_renewed_and_ended(sql: SqlWorld) -> None:
    await sql.upgrade()
    for _ in range(2):
        await sql.write(lambda c: renew_lease(c, "one"))

    assert await sql.write(leases) == ["one"]
    await sql.write(lambda c: end_lease(c, "one"))
    assert await sql.write(leases) == []


async def test_a_lease_is_forgotten_when_it_lapsed_and_owns_nothing(sql: SqlWorld) -> None:
    owner: Any = await sql.replica("owner")
    await owner.ledger.append(intent("a"))
    await sql.write(lambda c: renew_lease(c, "idle"))
    await sql.age(11)
    await sql.write(lambda c: renew_lease(c, "fresh"))

    await sql.write(forget_dead_leases)

    [fresh, kept] = await sql.write(leases)
    assert fresh == "fresh"
    assert kept.startswith("owner/")


async def test_more_calls_than_one_transaction_takes_are_all_closed(sql: SqlWorld) -> None:
    dead: Any = await sql.replica("dead")
    count = CLOSED_AT_ONCE + 5
    await asyncio.gather(*(dead.ledger.append(intent(f"c{n}")) for n in range(count)))
    await sql.age(11)
    alive: Any = await sql.replica("alive")

    assert await alive.ledger.close_abandoned(now=NOW) == count
    assert len(await log(alive)) == 2 * count
