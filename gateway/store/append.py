"""The one way into the audit log: inside an open transaction, under the lock of the head row.

Sequence numbers are gapless and in order of commit, since only the holder of the head row gives
them. Whatever changes state appends its record here, in its own transaction; nothing else writes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, Dialect, bindparam, insert, select, update

from gateway.core.errors import AlreadyClosed
from gateway.core.model import Receipt
from gateway.core.ports import Entry
from gateway.core.records import encode, leaf_hash
from gateway.store.database import run, run_many
from gateway.store.tables import LOG, audit_entry, audit_head, open_call

Outcome: TypeAlias = Receipt | AlreadyClosed


@dataclass(frozen=True, slots=True)
class Prepared:
    """An entry with its exact bytes and their leaf hash: made before any lock is taken."""

    entry: Entry
    body: bytes
    leaf: bytes


def prepare(entry: Entry) -> Prepared:
    """Encode and hash. Raise ValueError where the record breaks its profile or lacks its call."""
    if (entry.opens or entry.closes) and entry.record.call is None:
        raise ValueError("a record that opens or closes a call names it")
    body = encode(entry.record)
    return Prepared(entry, body, leaf_hash(body))


@dataclass(frozen=True, slots=True)
class Appender:
    """The log's SQL as text for one dialect, compiled once: this is the hot path.

    `replica` is the lease that calls opened here belong to.
    """

    replica: str
    lock_sql: str
    move_sql: str
    insert_sql: str
    open_sql: str
    close_sql: str
    array: bool

    def lock(self, connection: Connection) -> int:
        """Take the head row for this transaction; the log's size."""
        [[size]] = run(connection, self.lock_sql, (LOG,))
        return int(size)

    def append(self, connection: Connection, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Append in order, within the caller's transaction. An outcome for each entry.

        An entry that closes a call which is not open is left out and gets AlreadyClosed, or the
        Receipt of its own earlier self. Raise IntegrityError when a record's id is taken or a
        call is opened twice.
        """
        size = self.lock(connection)
        mine = self._open_and_close(connection, prepared)
        outcomes: list[Outcome] = []
        rows: list[tuple[object, ...]] = []
        for item in prepared:
            record = item.entry.record
            if item.entry.closes:
                if record.call not in mine:
                    outcomes.append(earlier(connection, item) or AlreadyClosed())
                    continue
                mine.discard(record.call)
            seq = size + len(rows) + 1
            outcomes.append(Receipt(record.id, seq))
            rows.append(
                (LOG, seq, record.id, record.ts, record.kind, record.call, item.leaf, item.body)
            )
        if rows:
            run_many(connection, self.insert_sql, rows)
            run(connection, self.move_sql, (size + len(rows), LOG))
        return outcomes

    def append_one(self, connection: Connection, prepared: Prepared) -> Receipt:
        """Append one entry or raise AlreadyClosed, which undoes the caller's transaction."""
        [outcome] = self.append(connection, [prepared])
        if isinstance(outcome, AlreadyClosed):
            raise outcome
        return outcome

    def _open_and_close(
        self, connection: Connection, prepared: Sequence[Prepared]
    ) -> set[str | None]:
        """Do what the entries do to the set of open calls; the calls that this closed."""
        opened = [
            (item.entry.record.call, self.replica, item.entry.record.id, item.entry.record.ts)
            for item in prepared
            if item.entry.opens
        ]
        if opened:
            run_many(connection, self.open_sql, opened)
        closing = [item.entry.record.call for item in prepared if item.entry.closes]
        if not closing:
            return set()
        wanted = closing if self.array else json.dumps(closing)
        return {row[0] for row in run(connection, self.close_sql, (wanted,))}


def appender(dialect: Dialect, replica: str) -> Appender:
    """The appender for this dialect (sqlite, postgresql)."""
    size = select(audit_head.c.size).where(audit_head.c.log == bindparam("which"))
    move = update(audit_head).values(size=bindparam("size"))
    array = dialect.name == "postgresql"
    calls = "= ANY($1::TEXT[])" if array else "IN (SELECT value FROM json_each(?))"
    return Appender(
        replica=replica,
        lock_sql=str(size.with_for_update().compile(dialect=dialect)),
        move_sql=str(move.where(audit_head.c.log == bindparam("which")).compile(dialect=dialect)),
        insert_sql=str(insert(audit_entry).compile(dialect=dialect)),
        open_sql=str(insert(open_call).compile(dialect=dialect)),
        close_sql=f"DELETE FROM open_call WHERE call {calls} RETURNING call",  # noqa: S608
        array=array,
    )


def earlier(connection: Connection, prepared: Prepared) -> Receipt | None:
    """The Receipt of this very record, if an earlier try whose end nobody saw did write it."""
    record = prepared.entry.record
    seq = connection.execute(
        select(audit_entry.c.seq).where(
            audit_entry.c.id == record.id, audit_entry.c.leaf == prepared.leaf
        )
    ).scalar()
    return None if seq is None else Receipt(record.id, seq)
