"""One SQLite file, reached over two threads of our own: one that writes, one that reads.

The plain `sqlite3` driver, so that a whole transaction is one hop between threads; aiosqlite needs one
for each statement. The event loop never waits for the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from gateway.store.database import DatabaseDown, Marked, driver

T = TypeVar("T")

LOCK_PATIENCE = 1.8
"""Seconds to wait for another process's lock: less than an append waits, so that its refusal is one."""


class _Lane:
    """One thread with one open connection; one transaction after another, each in a single hop."""

    def __init__(self, engine: Engine, name: str, begin: str) -> None:
        self._engine = engine
        self._begin = begin
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, work)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        marked = Marked(work)
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return self._attempt(self._connection, marked)
        except sqlite3.IntegrityError as taken:
            raise IntegrityError(None, None, taken) from taken
        except IntegrityError:
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as failure:
            self._drop()
            raise DatabaseDown(outcome_unknown=marked.done) from failure

    def _attempt(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        # The driver's own BEGIN and COMMIT: SQLAlchemy's cost as much as a whole small append.
        raw = driver(connection)
        raw.execute(self._begin)
        try:
            result = work(connection)
            raw.execute("COMMIT")
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise
        finally:
            connection.rollback()  # SQLAlchemy's idea of a transaction; the database's has ended
        return result

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown()


class SqliteDatabase:
    """`Database` in a file: WAL, every commit fsynced. Its folder is made."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)),
            # The lanes keep their connections; the pool would only add a reset to each use.
            poolclass=NullPool,
            connect_args={"timeout": LOCK_PATIENCE, "check_same_thread": False},
            hide_parameters=True,
        )
        event.listen(self._engine, "connect", _prepare_sqlite)
        # IMMEDIATE: a transaction that reads first and writes later would fail when another wrote.
        self._writer = _Lane(self._engine, "store-write", "BEGIN IMMEDIATE")
        self._reader = _Lane(self._engine, "store-read", "BEGIN DEFERRED")

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._reader.run(work)

    async def migrate(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(work)

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()
        self._engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy's recipe: the driver must not begin transactions by itself (see _Lane).
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        # NORMAL may lose the last commits when the power fails: a Receipt would lie.
        "synchronous=FULL",
        "foreign_keys=ON",
        # What is deleted is overwritten, so that an erased payload is gone from the file too.
        "secure_delete=ON",
        # No temporary file may hold rows.
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
