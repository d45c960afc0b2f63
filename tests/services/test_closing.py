"""However a call ends and whoever leaves, its last record is written: now, or later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.core.errors import AuditUnavailable
from gateway.core.ports import Entry
from gateway.services.account import Account
from gateway.services.closing import UNRECORDED, Closing
from tests.factories import CALLER, make_call, make_force
from tests.fakes import HandClock, TappedLedger
from tests.fakes_store import FakeLedger


def make_account(call: str = "call_1") -> Account:
    return Account(make_call(id=call), CALLER, make_force(), "chat", None, HandClock())


async def opened(ledger: FakeLedger, call: str = "call_1") -> Account:
    account = make_account(call)
    await ledger.append(account.intent())
    account.proved = True
    return account


def outcomes(ledger: FakeLedger) -> list[str]:
    return [one.detail["outcome"] for one in ledger.records if one.kind == "inference.decision"]


async def slowly(_entry: Entry) -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_twenty_callers_that_leave_lose_no_record() -> None:
    ledger = FakeLedger()
    closing = Closing(TappedLedger(slowly, ledger))
    accounts = [await opened(ledger, f"call_{number}") for number in range(20)]

    async def relay(account: Account) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await closing.close(account)

    loop = asyncio.get_running_loop()
    running = [loop.create_task(relay(account)) for account in accounts]
    await asyncio.sleep(0)
    for _ in range(2):  # the second cancels the closing itself
        for task in running:
            task.cancel()
        await asyncio.sleep(0)
    assert all(one.cancelled() for one in (await asyncio.wait(running))[0])
    await closing.settle()

    assert len(outcomes(ledger)) == 20
    assert ledger.database.open_calls == {}


async def test_the_same_without_the_shield_loses_them() -> None:
    """What the test above would see if the write were not shielded."""
    ledger = FakeLedger()
    tapped = TappedLedger(slowly, ledger)
    account = await opened(ledger)

    async def relay() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await tapped.append(account.decision())

    running = asyncio.get_running_loop().create_task(relay())
    await asyncio.sleep(0)
    for _ in range(2):
        running.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({running})

    assert outcomes(ledger) == []


async def test_a_generator_that_is_closed_writes_its_record() -> None:
    ledger = FakeLedger()
    closing, account = Closing(TappedLedger(slowly, ledger)), await opened(ledger)

    async def items() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await closing.close(account)

    async with aclosing(items()) as one:
        await anext(one)

    assert outcomes(ledger) == ["completed"]


async def test_a_record_that_cannot_be_written_now_is_written_later() -> None:
    ledger = FakeLedger()
    closing, account = Closing(ledger), await opened(ledger)
    ledger.database.broken = True

    await closing.close(account)
    await closing.retry()
    assert closing.unwritten == 1

    ledger.database.broken = False
    await closing.retry()
    assert closing.unwritten == 0
    assert outcomes(ledger) == ["completed"]


async def test_what_waits_is_written_in_order_and_once() -> None:
    ledger = FakeLedger()
    closing = Closing(ledger)
    accounts = [await opened(ledger, f"call_{number}") for number in range(5)]
    ledger.database.broken = True
    for account in accounts:
        await closing.close(account)
    ledger.database.broken = False

    await asyncio.gather(closing.retry(), closing.retry())

    calls = [one.call for one in ledger.records if one.kind == "inference.decision"]
    assert calls == [f"call_{number}" for number in range(5)]


async def test_a_refusal_that_cannot_be_recorded_is_an_error() -> None:
    ledger = FakeLedger()
    ledger.database.broken = True

    with pytest.raises(AuditUnavailable):
        await Closing(ledger).close(make_account())


async def test_an_unrecorded_call_waits_without_another_try() -> None:
    ledger = FakeLedger()
    closing, account = Closing(ledger), await opened(ledger)
    account.outcome = UNRECORDED

    await closing.close(account)
    assert closing.unwritten == 1

    await closing.retry()
    assert outcomes(ledger) == [UNRECORDED]


async def test_a_call_that_the_sweeper_closed_is_not_closed_again() -> None:
    ledger = FakeLedger()
    closing, account = Closing(ledger), await opened(ledger)
    await ledger.append(account.decision())

    await closing.close(account)
    account.outcome = UNRECORDED
    await closing.close(account)
    await closing.retry()

    assert outcomes(ledger) == ["completed"]
    assert closing.unwritten == 0


async def test_a_call_whose_opening_never_lasted_still_leaves_its_record() -> None:
    ledger, account = FakeLedger(), make_account()
    account.intent()  # and the client left before it was durable
    account.outcome = "abandoned"

    await Closing(ledger).close(account)

    assert outcomes(ledger) == ["abandoned"]
    assert ledger.database.open_calls == {}


async def test_settling_waits_for_the_writes_under_way() -> None:
    ledger = FakeLedger()
    closing = Closing(TappedLedger(slowly, ledger))
    account = await opened(ledger)
    running = asyncio.get_running_loop().create_task(closing.close(account))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert outcomes(ledger) == []

    await closing.settle()

    assert outcomes(ledger) == ["completed"]
