"""Calls that nobody will end: whose process died, or whose caller left before the intent was there.

Each is closed as interrupted, once, however many sweepers run. A call that a person may still
decide on (an open review, not past due) is left to its review.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from gateway.core.model import Receipt
from gateway.core.ports import Entry
from gateway.core.records import Record, timestamp
from gateway.core.review import ReviewState
from gateway.store.append import Appender, prepare
from gateway.store.tables import audit_entry, now_us, open_call, replica, review

LEASE = 10.0
"""Seconds, by the database's clock, after which a silent replica is taken for dead."""
CLOSED_AT_ONCE = 256
"""Calls closed in one transaction."""


def interruption(
    call: str | None, intent: str | None, policy: str | None, *, record_id: str, now: datetime
) -> Entry:
    """The entry that ends a call which nobody else will end."""
    detail = {"outcome": "interrupted"} | ({"intent": intent} if intent else {})
    record = Record(record_id, "inference.interrupted", call, timestamp(now), policy, detail)
    return Entry(record, closes=True)


def renew_lease(connection: Connection, name: str) -> None:
    """Say, by the database's clock, that this replica is alive."""
    renewed = connection.execute(
        update(replica).where(replica.c.id == name).values(seen_at=now_us())
    )
    if not renewed.rowcount:
        connection.execute(insert(replica).values(id=name, seen_at=now_us()))


def end_lease(connection: Connection, name: str) -> None:
    """Say that this replica is gone."""
    connection.execute(delete(replica).where(replica.c.id == name))


def close_abandoned_in(
    connection: Connection, appender: Appender, *, now: datetime, make_id: Callable[[], str]
) -> tuple[int, int]:
    """Close up to CLOSED_AT_ONCE calls of dead replicas: how many were found, and closed here."""
    found = _abandoned(connection)
    if not found:
        return 0, 0
    outcomes = appender.append(
        connection,
        [
            prepare(
                interruption(row["call"], row["intent"], _policy(row), record_id=make_id(), now=now)
            )
            for row in found
        ],
    )
    return len(found), sum(isinstance(outcome, Receipt) for outcome in outcomes)


def forget_dead_leases(connection: Connection) -> None:
    """Drop the leases that lapsed and own no call any more."""
    owns = exists().where(open_call.c.replica == replica.c.id)
    connection.execute(delete(replica).where(_lapsed(), ~owns))


def _abandoned(connection: Connection) -> list[RowMapping]:
    held = exists().where(
        review.c.call == open_call.c.call,
        review.c.state == ReviewState.OPEN,
        review.c.due_at > now_us(),
    )
    query = (
        select(open_call.c.call, open_call.c.intent, audit_entry.c.body)
        .outerjoin(replica, replica.c.id == open_call.c.replica)
        .outerjoin(audit_entry, audit_entry.c.id == open_call.c.intent)
        .where(and_(or_(replica.c.id.is_(None), _lapsed()), ~held))
        .limit(CLOSED_AT_ONCE)
    )
    return list(connection.execute(query).mappings())


def _lapsed() -> ColumnElement[bool]:
    return replica.c.seen_at < now_us() - int(LEASE * 1_000_000)


def _policy(row: RowMapping) -> str | None:
    """The policy that the intent was recorded under."""
    return json.loads(row["body"]).get("policy") if row["body"] else None
