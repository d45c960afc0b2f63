"""The audit log's writer: many callers, one task, one transaction for all who wait (group commit).

It takes what waits as soon as the last transaction has ended; no timer. A Receipt is given only
after the commit. It never waits for the disk on the loop, and a caller who leaves breaks nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.exc import IntegrityError

from gateway.core.errors import AuditUnavailable
from gateway.core.model import Receipt
from gateway.core.ports import Entry
from gateway.store.abandoned import (
    CLOSED_AT_ONCE,
    close_abandoned_in,
    end_lease,
    forget_dead_leases,
    interruption,
    renew_lease,
)
from gateway.store.append import AlreadyClosed, Appender, Prepared, earlier, prepare
from gateway.store.database import Database, DatabaseDown

MOST_AT_ONCE = 256
"""Entries of one transaction."""
MOST_WAITING = 4096
"""Entries that may be outstanding; more are refused at once."""
PATIENCE = 2.0
"""Seconds that an append may take; then it is refused, though its record may still be written."""
_DESERTED_AT_ONCE = 32

_Answer: TypeAlias = Receipt | AuditUnavailable


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """An entry, and the future of who waits for it: None where the ledger itself closes a call."""

    prepared: Prepared
    future: asyncio.Future[_Answer] | None = None

    @property
    def deserted(self) -> bool:
        return self.future is not None and self.future.done()

    def settle(self, answer: _Answer) -> None:
        # A result, never set_exception: an exception that a cancelled caller does not fetch is
        # logged by asyncio as a fault.
        if self.future is not None and not self.future.done():
            self.future.set_result(answer)

    def give_up(self) -> None:
        self.settle(AuditUnavailable())


class SqlLedger:
    """`Ledger` on a database. `run` must run for `append` to end; `stop` lets it finish."""

    def __init__(
        self,
        database: Database,
        appender: Appender,
        *,
        make_id: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._appender = appender
        self._make_id = make_id
        self._now = now
        self._queue: deque[_Waiter] = deque()
        self._deserted: deque[_Waiter] = deque()
        self._in_hand = 0
        self._wake = asyncio.Event()
        self._well = True
        self._stopping = False

    async def append(self, entry: Entry) -> Receipt:
        """Durable when it returns. Raise AuditUnavailable (AlreadyClosed), or ValueError.

        A caller that is cancelled, or refused, may find its record written all the same. No call
        stays open for that: one whose opening nobody holds the Receipt of, or whose closing was
        refused, is closed as interrupted as soon as the database is well.
        """
        prepared = prepare(entry)
        if self._stopping or len(self._queue) + self._in_hand >= MOST_WAITING:
            self._desert(entry, closes=True)
            raise AuditUnavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Answer] = loop.create_future()
        waiter = _Waiter(prepared, future)
        self._queue.append(waiter)
        self._wake.set()
        timer = loop.call_later(PATIENCE, waiter.give_up)
        try:
            answer = await future
        except asyncio.CancelledError:
            answered = future.done() and not future.cancelled()
            written = answered and isinstance(future.result(), Receipt)
            self._desert(entry, opens=written, closes=not written)
            raise
        finally:
            timer.cancel()
        if isinstance(answer, Receipt):
            return answer
        self._desert(entry, closes=not isinstance(answer, AlreadyClosed))
        raise answer

    async def close_abandoned(self, *, now: datetime) -> int:
        """Close, as interrupted, the open calls of replicas that are gone; how many."""
        closed = 0
        while True:
            found, done = await self._database.write(
                lambda connection: close_abandoned_in(
                    connection, self._appender, now=now, make_id=self._make_id
                )
            )
            closed += done
            if found < CLOSED_AT_ONCE:
                await self._database.write(forget_dead_leases)
                return closed

    async def heartbeat(self) -> None:
        """Renew this replica's lease. Raise AuditUnavailable."""
        await self._database.write(
            lambda connection: renew_lease(connection, self._appender.replica)
        )
        self._well = True
        self._wake.set()

    async def leave(self) -> None:
        """Give up the lease: what is still open is closed at the next sweep. For the end."""
        await self._database.write(lambda connection: end_lease(connection, self._appender.replica))

    def stop(self) -> None:
        """Refuse new entries; `run` writes what waits and ends."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Write what waits, until `stop`."""
        try:
            while not (self._stopping and not self._queue):
                if self._queue or (self._deserted and self._well):
                    self._well = await self._write(self._take())
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self._stopping = True
            while self._queue:
                self._queue.popleft().give_up()

    def _take(self) -> list[_Waiter]:
        """What waits, oldest first; whoever left before his turn is not written at all.

        Deserted calls come last: a caller's own word on the outcome goes before ours.
        """
        batch: list[_Waiter] = []
        while self._queue and len(batch) < MOST_AT_ONCE - _DESERTED_AT_ONCE:
            waiter = self._queue.popleft()
            if not waiter.deserted:
                batch.append(waiter)
        ours = min(len(self._deserted), _DESERTED_AT_ONCE)
        return batch + [self._deserted.popleft() for _ in range(ours)]

    async def _write(self, batch: list[_Waiter]) -> bool:
        """Write the batch and answer everyone; whether the database is well."""
        if not batch:
            return True
        self._in_hand = len(batch)
        try:
            answers = await self._commit([waiter.prepared for waiter in batch])
        except Exception as failure:  # noqa: BLE001 - were this task to die, every call would hang
            for waiter in batch:
                self._refuse(waiter, failure)
            return False
        finally:
            self._in_hand = 0
        for waiter, answer in zip(batch, answers, strict=True):
            if waiter.deserted if isinstance(answer, Receipt) else _unknown(answer):
                self._desert(waiter.prepared.entry, opens=True)
            waiter.settle(answer)
        return True

    def _refuse(self, waiter: _Waiter, failure: Exception) -> None:
        answer = AuditUnavailable()
        answer.__cause__ = failure
        waiter.settle(answer)
        if waiter.future is None:
            self._deserted.append(waiter)
        elif _unknown(failure):
            self._desert(waiter.prepared.entry, opens=True)

    def _desert(self, entry: Entry, *, opens: bool = False, closes: bool = False) -> None:
        """Close the entry's call, if it is open then: when the entry `opens` it, or `closes` it."""
        record = entry.record
        if not ((opens and entry.opens) or (closes and entry.closes)):
            return
        closing = interruption(
            record.call,
            record.id if entry.opens else None,
            record.policy,
            record_id=self._make_id(),
            now=self._now(),
        )
        self._deserted.append(_Waiter(prepare(closing)))
        self._wake.set()

    async def _commit(self, prepared: Sequence[Prepared]) -> Sequence[_Answer]:
        try:
            return await self._database.write(
                lambda connection: self._appender.append(connection, prepared)
            )
        except IntegrityError:
            # One entry's id or call is taken. Alone, each of the others goes through.
            return [await self._commit_alone(item) for item in prepared]

    async def _commit_alone(self, prepared: Prepared) -> _Answer:
        try:
            [answer] = await self._database.write(
                lambda connection: self._appender.append(connection, [prepared])
            )
        except IntegrityError:
            return await self._explain(prepared)
        except DatabaseDown as down:
            return down
        return answer

    async def _explain(self, prepared: Prepared) -> _Answer:
        """Why this entry broke a constraint: it is in the log already, or its names are taken."""
        try:
            same = await self._database.read(lambda connection: earlier(connection, prepared))
        except DatabaseDown as down:
            return down
        return same or AuditUnavailable("The record's id, or its call, is taken already.")


def _unknown(failure: Exception) -> bool:
    """Whether a failed entry may be in the log all the same."""
    match failure:
        case DatabaseDown():
            return failure.outcome_unknown
        case AuditUnavailable():
            return False
        case _:
            return True
