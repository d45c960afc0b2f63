"""Every few seconds: the lease is kept, what a crash left is closed, what waits is written."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.core.errors import AuditUnavailable
from gateway.services import sweeping
from gateway.services.account import Account
from gateway.services.closing import Closing
from gateway.services.sweeping import Sweeping
from tests.factories import CALLER, make_call, make_force
from tests.fakes import HandClock
from tests.fakes_store import FakeDatabase, FakeLedger, FakeStore


def make(ledger: FakeLedger) -> tuple[Sweeping, Closing]:
    closing = Closing(ledger)
    return Sweeping(ledger, closing, HandClock()), closing


def account(call: str = "call_1") -> Account:
    return Account(make_call(id=call), CALLER, make_force(), "chat", None, HandClock())


async def test_what_a_dead_replica_left_open_is_closed_and_ours_is_not() -> None:
    database = FakeDatabase()
    dead, alive = FakeStore(database, "dead"), FakeStore(database, "alive")
    await dead.ledger.append(account("call_dead").intent())
    await alive.ledger.append(account("call_alive").intent())
    sweeper, _ = make(alive.ledger)

    assert await sweeper.sweep() == 0
    database.age(11)
    assert await sweeper.sweep() == 1

    assert list(database.open_calls) == ["call_alive"]
    assert database.records[-1].kind == "inference.interrupted"


async def test_what_could_not_be_written_is_written() -> None:
    store = FakeStore()
    sweeper, closing = make(store.ledger)
    mine = account()
    await store.ledger.append(mine.intent())
    store.database.broken = True
    await closing.close(mine)

    with pytest.raises(AuditUnavailable):
        await sweeper.sweep()
    store.database.broken = False
    await sweeper.sweep()

    assert closing.unwritten == 0
    assert store.database.open_calls == {}


class FaultyLedger(FakeLedger):
    """The first heartbeats fail, each in its own way."""

    faults: tuple[Exception, ...] = (AuditUnavailable(), ZeroDivisionError("canary"))
    beats = 0

    async def heartbeat(self) -> None:
        self.beats += 1
        if self.beats <= len(self.faults):
            raise self.faults[self.beats - 1]
        await super().heartbeat()


async def test_a_round_that_fails_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sweeping, "EVERY", 0)
    ledger = FaultyLedger()
    sweeper, _ = make(ledger)

    with caplog.at_level(logging.INFO):
        async with sweeper.running():
            while ledger.beats < 5:  # noqa: ASYNC110 - the beats are the only sign
                await asyncio.sleep(0)

    beats = ledger.beats
    await asyncio.sleep(0.01)
    assert ledger.beats == beats, "it ends with its block"
    assert "ZeroDivisionError" in caplog.text
    assert "canary" not in caplog.text


async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    sweeper, _ = make(FakeLedger())

    with pytest.raises(KeyError):
        async with sweeper.running():
            raise KeyError
