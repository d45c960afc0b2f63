"""What the rest of the store may ask of its database. Two kinds answer: `sqlite.py`, `postgres.py`.

The work of a transaction is one plain function of a SQLAlchemy `Connection`, the same for both. The
event loop never waits for a disk, and a database that is gone is AuditUnavailable within seconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection, Dialect

from gateway.core.errors import AuditUnavailable

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a connection, a statement or a lock may take."""


class DatabaseDown(AuditUnavailable):
    """The database did not do this. Try again shortly."""

    def __init__(self, message: str | None = None, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        """The work was done and the commit failed: it may hold or not."""


class Database(Protocol):
    """Runs work in a transaction. Raises DatabaseDown; an IntegrityError is the caller's matter."""

    @property
    def dialect(self) -> Dialect: ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction that may write. A cancelled caller does not undo it on SQLite."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """`work` must be one statement: on PostgreSQL it runs without BEGIN and COMMIT."""
        ...

    async def migrate(self, work: Callable[[Connection], T]) -> T:
        """One patient transaction that changes the schema."""
        ...

    async def close(self) -> None: ...


def run(connection: Connection, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
    """Run prebuilt SQL of the connection's dialect on the hot path; the rows it returns."""
    if connection.dialect.name == "sqlite":
        return driver(connection).execute(sql, parameters).fetchall()
    result = connection.exec_driver_sql(sql, parameters)
    return list(result.all()) if result.returns_rows else []


def run_many(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run prebuilt SQL once for each row."""
    if connection.dialect.name == "sqlite":
        driver(connection).executemany(sql, rows)
    else:
        connection.exec_driver_sql(sql, list(rows))


def driver(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


class Marked:
    """Work that remembers whether it came to its end: a failed commit is not failed work."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self._work = work
        self.done = False

    def __call__(self, connection: Connection) -> Any:
        self.done = False
        result = self._work(connection)
        self.done = True
        return result
