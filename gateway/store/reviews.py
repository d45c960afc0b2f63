"""Held calls: open, then decided or expired, once. Their texts rest sealed and nowhere else.

Every time is the database's. Each change locks the log's head first and then the row, so that two
changes never wait for each other crosswise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.core.errors import ReviewConflict, ReviewNotFound
from gateway.core.ports import Entry, Sealer
from gateway.core.records import Record, timestamp
from gateway.core.review import Review, ReviewPart, ReviewState, Verdict
from gateway.store import tables
from gateway.store.append import Appender, prepare
from gateway.store.database import Database
from gateway.store.review_rows import (
    COLUMNS,
    open_parts,
    open_verdict,
    review_of,
    row_of,
    seal_parts,
    seal_verdict,
)
from gateway.store.tables import now_us

_OVERDUE: ColumnElement[bool] = (tables.review.c.state == ReviewState.OPEN) & (
    tables.review.c.due_at <= now_us()
)


class SqlReviews:
    """`Reviews` on a database. Everything raises AuditUnavailable while it is away."""

    def __init__(
        self,
        database: Database,
        appender: Appender,
        sealer: Sealer,
        *,
        make_id: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._appender = appender
        self._sealer = sealer
        self._make_id = make_id
        self._now = now

    async def open(
        self, review: Review, wait: float, parts: Sequence[ReviewPart], entry: Entry
    ) -> None:
        """Store the review, due `wait` seconds (0 and up) from now. Raise ValueError: id taken."""
        prepared = prepare(entry)
        statement = insert(tables.review).values(
            **row_of(review),
            parts=seal_parts(self._sealer, review.id, parts),
            created=now_us(),
            due_at=now_us() + round(wait * 1_000_000),
        )

        def work(connection: Connection) -> None:
            self._appender.lock(connection)
            connection.execute(statement)
            self._appender.append_one(connection, prepared)

        try:
            await self._database.write(work)
        except IntegrityError as taken:
            raise ValueError("a review or a record with this id exists already") from taken

    async def get(self, review_id: str) -> Review:
        """Raise ReviewNotFound. One past its time is stored as expired first, with its record."""
        row = await self._row(review_id)
        if row["overdue"]:
            await self._database.write(lambda connection: self._expire(connection, review_id))
            row = await self._row(review_id)
        return review_of(self._sealer, row)

    async def list(self, state: str | None = None) -> Sequence[Review]:
        """The reviews in this state, or all, the first due first."""
        rows = await self._rows(state)
        if any(row["overdue"] for row in rows):
            await self._database.write(self._expire)
            rows = await self._rows(state)
        found = [review_of(self._sealer, row) for row in rows]
        return [review for review in found if state is None or review.state == state]

    async def parts(self, review_id: str) -> tuple[ReviewPart, ...]:
        """What the reviewer sees. Raise ReviewNotFound."""
        query = select(tables.review.c.parts).where(tables.review.c.id == review_id)
        sealed = await self._database.read(
            lambda connection: connection.execute(query).scalar_one_or_none()
        )
        if sealed is None:
            raise ReviewNotFound
        return open_parts(self._sealer, review_id, sealed)

    async def verdict(self, review_id: str) -> Verdict | None:
        """The decision with its edited text, if there is one. Raise ReviewNotFound."""
        row = await self._row(review_id)
        return open_verdict(self._sealer, review_id, row["verdict"])

    async def decide(self, review_id: str, verdict: Verdict, entry: Entry) -> Review:
        """Open to decided, once. Raise ReviewConflict naming the state, or ReviewNotFound."""
        prepared = prepare(entry)
        sealed = seal_verdict(self._sealer, review_id, verdict)
        statement = (
            update(tables.review)
            .where(
                tables.review.c.id == review_id,
                tables.review.c.state == ReviewState.OPEN,
                ~_OVERDUE,
            )
            .values(state=ReviewState.DECIDED, choice=verdict.choice, verdict=sealed)
            .returning(tables.review.c.id)
        )

        def work(connection: Connection) -> bool:
            self._appender.lock(connection)
            if connection.execute(statement).scalar() is None:
                return False
            self._appender.append_one(connection, prepared)
            return True

        try:
            decided = await self._database.write(work)
        except IntegrityError as taken:
            raise ValueError("a record with this id exists already") from taken
        found = await self.get(review_id)
        if not decided:
            raise ReviewConflict(f"The review is {found.state} already.")
        return found

    def _expire(self, connection: Connection, review_id: str | None = None) -> None:
        """Mark as expired what is past its time (this one, or all), each with its record."""
        self._appender.lock(connection)
        statement = (
            update(tables.review)
            .where(_OVERDUE)
            .values(state=ReviewState.EXPIRED)
            .returning(
                tables.review.c.id,
                tables.review.c.call,
                tables.review.c.queue,
                tables.review.c.stage,
                tables.review.c.policy,
            )
        )
        if review_id is not None:
            statement = statement.where(tables.review.c.id == review_id)
        ended = list(connection.execute(statement).mappings())
        self._appender.append(connection, [prepare(self._expiry(row)) for row in ended])

    def _expiry(self, row: RowMapping) -> Entry:
        detail = {"review": row["id"], "queue": row["queue"], "stage": row["stage"]}
        ts = timestamp(self._now())
        return Entry(
            Record(self._make_id(), "review.expired", row["call"], ts, row["policy"], detail)
        )

    async def _row(self, review_id: str) -> RowMapping:
        query = select(*COLUMNS, _OVERDUE.label("overdue")).where(tables.review.c.id == review_id)
        row = await self._database.read(
            lambda connection: connection.execute(query).mappings().one_or_none()
        )
        if row is None:
            raise ReviewNotFound
        return row

    async def _rows(self, state: str | None) -> Sequence[RowMapping]:
        query = select(*COLUMNS, _OVERDUE.label("overdue")).order_by(
            tables.review.c.due_at, tables.review.c.id
        )
        if state is not None:
            query = query.where((tables.review.c.state == state) | _OVERDUE)
        return await self._database.read(
            lambda connection: connection.execute(query).mappings().all()
        )
