"""Opens the store: the one door to this room. Wiring asks for it and hands its parts out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from gateway.core.errors import InvalidDocument, Problem
from gateway.store.append import appender
from gateway.store.audit import SqlAudit
from gateway.store.database import Database, DatabaseDown
from gateway.store.engine import connect
from gateway.store.ids import new_id
from gateway.store.keys import SqlKeys
from gateway.store.ledger import SqlLedger
from gateway.store.reviews import SqlReviews
from gateway.store.schema import upgrade
from gateway.store.sealing import AesSealer, KeyFiles, key_fingerprint
from gateway.store.tables import fingerprint

_KEK = "kek"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Store:
    """What the rest of the house may do with the database; the parts are core's ports.

    `ping` raises AuditUnavailable while the database is away.
    """

    ledger: SqlLedger
    keys: SqlKeys
    reviews: SqlReviews
    audit: SqlAudit
    sealer: AesSealer
    secrets: KeyFiles
    ping: Callable[[], Awaitable[None]]


@asynccontextmanager
async def open_store(
    url: str,
    data_dir: Path,
    replica_id: str,
    *,
    now: Callable[[], datetime] = _utc_now,
    make_id: Callable[[], str] = new_id,
) -> AsyncGenerator[Store, None]:
    """The store at `url`, migrated, its keys in `data_dir/keys`, while the block runs.

    `replica_id` says whose calls these are; every opening has a lease of its own. Raise ValueError
    for an unknown kind of URL, AuditUnavailable when the database is away, InvalidDocument when
    the key files are not the ones that belong to it.
    """
    database = connect(url)
    try:
        await upgrade(database)
        secrets = KeyFiles(data_dir / "keys")
        sealer = AesSealer(await _kek(database, secrets))
        append = appender(database.dialect, f"{replica_id}/{make_id()}")
        ledger = SqlLedger(database, append, make_id=make_id, now=now)
        audit = SqlAudit(database)
        async with _writing(ledger):
            yield Store(
                ledger=ledger,
                keys=SqlKeys(database, append),
                reviews=SqlReviews(database, append, sealer, make_id=make_id, now=now),
                audit=audit,
                sealer=sealer,
                secrets=secrets,
                ping=audit.ping,
            )
    finally:
        await database.close()


@asynccontextmanager
async def _writing(ledger: SqlLedger) -> AsyncGenerator[None, None]:
    """The ledger's writer at work and its lease held; at the end, what still waits is written."""
    await ledger.heartbeat()
    # Not a task group: it would wrap every error of the block in an ExceptionGroup. The task is
    # held here, and awaited, so neither it nor its error is lost.
    writer = asyncio.get_running_loop().create_task(ledger.run(), name="ledger-writer")
    try:
        yield
    finally:
        ledger.stop()
        try:
            await writer
            with contextlib.suppress(DatabaseDown):
                await ledger.leave()
        finally:
            writer.cancel()


async def _kek(database: Database, secrets: KeyFiles) -> bytes:
    """The key-encryption key, if it is the one that this database was sealed with."""
    known = await _fingerprint(database)
    key = secrets.secret(_KEK) if known is None else secrets.existing(_KEK)
    if key is not None and known is None:
        known = await _adopt(database, key_fingerprint(key))
    if key is None or key_fingerprint(key) != known:
        what = "this is not the key that the database's payloads are sealed with."
        mend = "Restore the `keys` folder that belongs to it; replicas share one."
        raise InvalidDocument((Problem(str(secrets.folder / _KEK), 1, what, mend),))
    return key


async def _fingerprint(database: Database) -> str | None:
    query = select(fingerprint.c.value).where(fingerprint.c.name == _KEK)
    return await database.read(lambda connection: connection.execute(query).scalar())


async def _adopt(database: Database, value: str) -> str | None:
    """Make this key the database's, unless another replica was first; the one that holds."""
    with contextlib.suppress(IntegrityError):
        await database.write(
            lambda connection: connection.execute(
                insert(fingerprint).values(name=_KEK, value=value)
            )
        )
    return await _fingerprint(database)
