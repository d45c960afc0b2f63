"""PostgreSQL over asyncpg, with a pool that comes back by itself when the server does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy import URL, Connection, Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.store.database import PATIENCE, DatabaseDown, Marked

T = TypeVar("T")

MIGRATION_PATIENCE = 120.0
"""Seconds that migrations may take, waiting for another replica's included."""

# asyncpg's own errors come through unwrapped while it connects; a time-out always does.
_FAILURES = (
    SQLAlchemyError,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class PostgresDatabase:
    """`Database` on a server. Work that meets a dead connection is tried once more on a new one."""

    def __init__(self, url: URL) -> None:
        self._url = _asyncpg_url(url)
        self._engine = _postgres_engine(self._url, PATIENCE)
        self._reads = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await _transact(self._engine, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await _transact(self._reads, work)

    async def migrate(self, work: Callable[[Connection], T]) -> T:
        patient = _postgres_engine(self._url, MIGRATION_PATIENCE)
        try:
            return await _transact(patient, work)
        finally:
            await patient.dispose()

    async def close(self) -> None:
        await self._engine.dispose()


def _asyncpg_url(url: URL) -> URL:
    """The URL for asyncpg, whose name for libpq's `sslmode` is `ssl`."""
    url = url.set(drivername="postgresql+asyncpg")
    mode = url.query.get("sslmode")
    if not isinstance(mode, str):
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def _postgres_engine(url: URL, patience: float) -> AsyncEngine:
    milliseconds = str(int(patience * 1000))
    return create_async_engine(
        url,
        pool_size=8,
        max_overflow=0,
        pool_timeout=PATIENCE,
        hide_parameters=True,
        connect_args={
            "timeout": PATIENCE,
            "command_timeout": patience,
            "server_settings": {
                "application_name": "wardgate",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                # A replica that freezes while it holds the head row must not stop the others.
                "idle_in_transaction_session_timeout": milliseconds,
            },
        },
    )


async def _transact(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    marked = Marked(work)
    try:
        try:
            return await _once(engine, marked)
        except DBAPIError as failure:
            # The server went away and came back. Nothing was committed, so trying again is safe;
            # SQLAlchemy has thrown away every connection that is as old.
            if marked.done or not failure.connection_invalidated:
                raise
            return await _once(engine, marked)
    except IntegrityError:
        raise
    except _FAILURES as failure:
        raise DatabaseDown(outcome_unknown=marked.done) from failure


async def _once(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with engine.connect() as connection, connection.begin():
        return await connection.run_sync(work)
