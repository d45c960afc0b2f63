"""Ledger, Keys, Reviews and Audit in memory: fakes that pass the contract tests of the real ones.

`FakeDatabase` is what several replicas share; `FakeStore` is one replica's view. `broken = True` makes
everything raise AuditUnavailable, as a database that is away does.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.core.errors import AuditUnavailable, ReviewConflict, ReviewNotFound
from gateway.core.model import Receipt
from gateway.core.ports import Entry, StoredKey
from gateway.core.records import Record, encode, leaf_hash
from gateway.core.review import Review, ReviewPart, ReviewState, Verdict
from gateway.store.append import AlreadyClosed, prepare

LEASE = timedelta(seconds=10)


@dataclass
class Held:
    """A stored review."""

    review: Review
    parts: tuple[ReviewPart, ...]
    verdict: Verdict | None = None


@dataclass
class FakeDatabase:
    """What lasts. `now` is its clock, which `age` moves."""

    records: list[Record] = field(default_factory=list)
    open_calls: dict[str, tuple[str, Record]] = field(default_factory=dict)
    """call -> (replica, intent)"""
    leases: dict[str, datetime] = field(default_factory=dict)
    keys: dict[str, StoredKey] = field(default_factory=dict)
    reviews: dict[str, Held] = field(default_factory=dict)
    broken: bool = False
    skew: timedelta = timedelta()
    ids: itertools.count[int] = field(default_factory=itertools.count)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def age(self, seconds: float) -> None:
        """Let time pass."""
        self.skew += timedelta(seconds=seconds)

    def answer(self) -> None:
        if self.broken:
            raise AuditUnavailable

    def append(self, entry: Entry, replica: str) -> Receipt:
        prepare(entry)
        record = entry.record
        for seq, known in enumerate(self.records, 1):
            if known.id == record.id:
                if known == record:
                    return Receipt(record.id, seq)
                raise AuditUnavailable
        if entry.opens and record.call in self.open_calls:
            raise AuditUnavailable
        if entry.closes and record.call not in self.open_calls:
            raise AlreadyClosed
        if entry.opens:
            self.open_calls[str(record.call)] = (replica, record)
        if entry.closes:
            del self.open_calls[str(record.call)]
        self.records.append(record)
        return Receipt(record.id, len(self.records))

    def say(
        self, kind: str, call: str | None, policy: str | None, detail: dict[str, str]
    ) -> Record:
        ts = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return Record(f"fake-{next(self.ids)}", kind, call, ts, policy, detail)


@dataclass
class FakeLedger:
    """`Ledger`. `replica` owns the calls that it opens."""

    database: FakeDatabase = field(default_factory=FakeDatabase)
    replica: str = "replica"

    @property
    def records(self) -> list[Record]:
        """Everything that was appended, in order."""
        return self.database.records

    async def append(self, entry: Entry) -> Receipt:
        self.database.answer()
        return self.database.append(entry, self.replica)

    async def heartbeat(self) -> None:
        self.database.answer()
        self.database.leases[self.replica] = self.database.now()

    async def close_abandoned(self, *, now: datetime) -> int:
        self.database.answer()
        database, closed = self.database, 0
        held = {
            item.review.call
            for item in database.reviews.values()
            if item.review.state == ReviewState.OPEN and not self._overdue(item.review)
        }
        for call, (replica, intent) in list(database.open_calls.items()):
            seen = database.leases.get(replica)
            if call in held or (seen is not None and seen >= database.now() - LEASE):
                continue
            detail = {"outcome": "interrupted", "intent": intent.id}
            record = database.say("inference.interrupted", call, intent.policy, detail)
            database.append(Entry(record, closes=True), self.replica)
            closed += 1
        return closed

    def _overdue(self, review: Review) -> bool:
        return review.due_at is not None and review.due_at <= self.database.now()


@dataclass
class FakeKeys:
    """`Keys`."""

    database: FakeDatabase = field(default_factory=FakeDatabase)

    async def find(self, key_id: str) -> StoredKey | None:
        self.database.answer()
        return self.database.keys.get(key_id)

    async def add(self, key: StoredKey, entry: Entry) -> None:
        self.database.answer()
        if key.id in self.database.keys:
            raise ValueError("a key or a record with this id exists already")
        self.database.append(entry, "")
        self.database.keys[key.id] = key

    async def count(self) -> int:
        self.database.answer()
        return len(self.database.keys)


@dataclass
class FakeReviews:
    """`Reviews`."""

    database: FakeDatabase = field(default_factory=FakeDatabase)

    async def open(
        self, review: Review, wait: float, parts: Sequence[ReviewPart], entry: Entry
    ) -> None:
        self.database.answer()
        if review.id in self.database.reviews:
            raise ValueError("a review or a record with this id exists already")
        self.database.append(entry, "")
        now = self.database.now()
        stored = replace(
            review, state=ReviewState.OPEN, created=now, due_at=now + timedelta(seconds=wait)
        )
        self.database.reviews[review.id] = Held(stored, tuple(parts))

    async def get(self, review_id: str) -> Review:
        return self._held(review_id).review

    async def list(self, state: str | None = None) -> Sequence[Review]:
        self.database.answer()
        found = [self._held(review_id).review for review_id in self.database.reviews]
        found.sort(key=lambda review: (review.due_at, review.id))
        return [review for review in found if state is None or review.state == state]

    async def parts(self, review_id: str) -> tuple[ReviewPart, ...]:
        return self._held(review_id).parts

    async def verdict(self, review_id: str) -> Verdict | None:
        return self._held(review_id).verdict

    async def decide(self, review_id: str, verdict: Verdict, entry: Entry) -> Review:
        held = self._held(review_id)
        if held.review.state != ReviewState.OPEN:
            raise ReviewConflict(f"The review is {held.review.state} already.")
        self.database.append(entry, "")
        held.review = replace(
            held.review,
            state=ReviewState.DECIDED,
            choice=verdict.choice,
            reason=verdict.reason,
        )
        held.verdict = verdict
        return held.review

    def _held(self, review_id: str) -> Held:
        """The review, expired first if it is past its time."""
        self.database.answer()
        held = self.database.reviews.get(review_id)
        if held is None:
            raise ReviewNotFound
        review = held.review
        if (
            review.state == ReviewState.OPEN
            and review.due_at is not None
            and review.due_at <= self.database.now()
        ):
            held.review = replace(review, state=ReviewState.EXPIRED)
            detail = {"review": review.id, "queue": review.queue, "stage": str(review.stage)}
            record = self.database.say("review.expired", review.call, review.policy, detail)
            self.database.append(Entry(record), "")
        return held


@dataclass
class FakeAudit:
    """`Audit`."""

    database: FakeDatabase = field(default_factory=FakeDatabase)

    async def entries(self, after: int = 0) -> AsyncGenerator[tuple[int, bytes, bytes], None]:
        self.database.answer()
        for seq, record in list(enumerate(self.database.records, 1)):
            if seq > after:
                body = encode(record)
                yield seq, body, leaf_hash(body)

    async def size(self) -> int:
        self.database.answer()
        return len(self.database.records)


class FakeStore:
    """One replica's view of a FakeDatabase, under the names of the real Store."""

    def __init__(self, database: FakeDatabase | None = None, replica: str = "replica") -> None:
        self.database = database or FakeDatabase()
        self.database.leases[replica] = self.database.now()
        self.ledger = FakeLedger(self.database, replica)
        self.keys = FakeKeys(self.database)
        self.reviews = FakeReviews(self.database)
        self.audit = FakeAudit(self.database)

    async def ping(self) -> None:
        self.database.answer()
