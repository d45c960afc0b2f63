"""SQLite keeps what it was told, and a lock or a full disk is a refusal that passes by itself."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.core.errors import AuditUnavailable
from gateway.store.database import run
from gateway.store.sqlite import SqliteDatabase
from gateway.store.store import open_store
from tests.store.worlds import decision, intent, log, note

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("busy_timeout", 1800),
    ],
)
async def test_a_connection_is_set_up(tmp_path: Path, pragma: str, value: object) -> None:
    database = SqliteDatabase(tmp_path / "a.db")
    try:
        for way in (database.write, database.read):
            assert await way(lambda c: run(c, f"PRAGMA {pragma}", ())[0][0]) == value
    finally:
        await database.close()


async def test_a_write_lock_held_elsewhere_is_a_refusal_and_passes(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/w.db", tmp_path, "one") as store:
        await store.ledger.append(intent("a"))
        other = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        began = time.monotonic()
        answers = await asyncio.gather(
            *(store.ledger.append(note()) for _ in range(10)),
            store.reviews.list(),
            return_exceptions=True,
        )
        assert time.monotonic() - began < 3
        assert all(isinstance(answer, AuditUnavailable) for answer in answers[:-1])
        assert answers[-1] == []  # reading goes on
        await store.ping()

        other.execute("ROLLBACK")
        other.close()
        await store.ledger.append(decision("a"))
        kinds = [body["kind"] for body in await log(store)]
    assert [kinds[0], kinds[-1]] == ["inference.intent", "inference.decision"]


async def test_an_intent_refused_and_yet_written_is_closed(tmp_path: Path) -> None:
    """The lock goes just as the caller gives up: whatever was written, no call stays open."""
    async with open_store(f"sqlite:///{tmp_path}/w.db", tmp_path, "one") as store:
        other = sqlite3.connect(tmp_path / "w.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(1.97, other.execute, "ROLLBACK")
        answers = await asyncio.gather(
            *(store.ledger.append(intent(f"c{n}")) for n in range(20)), return_exceptions=True
        )
        kept = [f"c{n}" for n, answer in enumerate(answers) if not isinstance(answer, Exception)]
        for call in kept:
            await store.ledger.append(decision(call))
        await store.ledger.heartbeat()
        await store.ledger.append(note())
        await store.ledger.append(note())
        assert other.execute("SELECT count(*) FROM open_call").fetchone() == (0,)
        other.close()


async def test_a_call_whose_end_was_refused_is_closed_when_the_lock_goes(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/w.db", tmp_path, "one") as store:
        await store.ledger.append(intent("a"))
        other = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AuditUnavailable):
            await store.ledger.append(decision("a"))
        other.close()
        await store.ledger.heartbeat()
        await store.ledger.append(note())
        await store.ledger.append(note())

        ends = [body for body in await log(store) if body["call"] == "a"]
    # One end, and only one: on a slow machine the refused record may have been written after all.
    assert [body["kind"] for body in ends] in (
        ["inference.intent", "inference.interrupted"],
        ["inference.intent", "inference.decision"],
    )


async def test_the_loop_never_waits_for_the_disk(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/w.db", tmp_path, "one") as store:
        other = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        blocked = asyncio.gather(store.ledger.append(note()), return_exceptions=True)
        longest, last = 0.0, time.monotonic()
        while not blocked.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        other.close()

    assert longest < 0.5  # the lock was held for 2 s


async def test_a_full_disk_is_a_refusal_and_passes(tmp_path: Path) -> None:
    """SQLite's own limit stands in for the disk's: the same error, SQLITE_FULL."""
    async with open_store(f"sqlite:///{tmp_path}/w.db", tmp_path, "one") as store:
        await store.ledger.append(note())
    database = SqliteDatabase(tmp_path / "w.db")

    def fill(connection: Connection) -> None:
        pages = run(connection, "PRAGMA page_count", ())[0][0]
        run(connection, f"PRAGMA max_page_count = {pages + 1}", ())
        run(connection, "INSERT INTO fingerprint VALUES ('x', ?)", ("y" * 100_000,))

    try:
        with pytest.raises(AuditUnavailable):
            await database.write(fill)
        # The connection was dropped with its limit, as a disk that was freed.
        await database.write(
            lambda c: run(c, "INSERT INTO fingerprint VALUES ('x', ?)", ("y" * 100_000,))
        )
    finally:
        await database.close()
