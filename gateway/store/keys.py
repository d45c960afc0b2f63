"""API keys at rest: a keyed digest and whose it is. The key itself never comes here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.core.ports import Entry, StoredKey
from gateway.store.append import Appender, prepare
from gateway.store.database import Database, run
from gateway.store.tables import api_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """The UTC time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


_COLUMNS = (
    api_key.c.id,
    api_key.c.digest,
    api_key.c.team,
    api_key.c.owner,
    api_key.c.created,
    api_key.c.revoked,
)


class SqlKeys:
    """`Keys` on a database. Everything raises AuditUnavailable while it is away."""

    def __init__(self, database: Database, appender: Appender) -> None:
        self._database = database
        self._appender = appender
        find = select(*_COLUMNS).where(api_key.c.id == bindparam("which"))
        self._find_sql = str(find.compile(dialect=database.dialect))

    async def find(self, key_id: str) -> StoredKey | None:
        """The key with this id. Every call asks, so this is prebuilt SQL as in `append.py`."""
        rows = await self._database.read(
            lambda connection: run(connection, self._find_sql, (key_id,))
        )
        return _stored(rows[0]) if rows else None

    async def add(self, key: StoredKey, entry: Entry) -> None:
        """Store the key and append its record in one transaction. Raise ValueError: id taken."""
        prepared = prepare(entry)

        def work(connection: Connection) -> None:
            connection.execute(insert(api_key).values(_row(key)))
            self._appender.append_one(connection, prepared)

        try:
            await self._database.write(work)
        except IntegrityError as taken:
            raise ValueError("a key or a record with this id exists already") from taken

    async def count(self) -> int:
        def work(connection: Connection) -> int:
            return connection.execute(select(func.count()).select_from(api_key)).scalar_one()

        return await self._database.read(work)


def _stored(row: Sequence[Any]) -> StoredKey:
    key_id, digest, team, owner, created, revoked = row
    return StoredKey(key_id, bytes(digest), team, owner, moment(created), bool(revoked))


def _row(key: StoredKey) -> dict[str, object]:
    return {
        "id": key.id,
        "digest": key.digest,
        "team": key.team,
        "owner": key.owner,
        "created": micros(key.created),
        "revoked": key.revoked,
    }
