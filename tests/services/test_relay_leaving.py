"""A client that leaves at any point stops the work and leaves one record, and no room taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from gateway.core.model import Chunk, Stage
from gateway.core.ports import Entry
from gateway.services.relay import Progress, Waiting
from tests.factories import (
    Parts,
    make_force,
    make_relay,
    make_rule,
    reply,
)
from tests.fakes import ScriptedDetector, ScriptedProvider, forever, sees_nothing
from tests.fakes_store import FakeStore
from tests.services.relaying import (
    DECISION,
    HELD_RECORD,
    INTENT,
    ONE_AT_ONCE,
    consume,
    room_is_free,
    watching,
)


@dataclass
class Barrier:
    """Lets everyone through but at one point, where it waits until the call is cancelled."""

    point: str = ""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    times: int = 0
    shut: bool = True

    def at(self, point: str) -> Callable[[], Awaitable[None]]:
        async def wait() -> None:
            if self.shut and self.point == point:
                self.reached.set()
                await forever()

        return wait

    async def ledger(self, entry: Entry) -> None:
        await self.at(f"before {entry.record.kind}")()

    async def provider(self) -> None:
        self.times += 1
        await self.at(f"chunk {self.times}")()


LEAVING = {
    "input detector": [DECISION],
    f"before {INTENT}": [DECISION],
    "chunk 1": [INTENT, DECISION],
    "chunk 2": [INTENT, DECISION],
    "output detector": [INTENT, DECISION],
    f"before {DECISION}": [INTENT, DECISION],
}


def guarded_by(barrier: Barrier) -> Parts:
    detectors = [
        ScriptedDetector(
            f"{stage} detector", sees_nothing, (stage,), before=barrier.at(f"{stage} detector")
        )
        for stage in ("input", "output")
    ]
    rules = [replace(make_rule(str(stage), "redact"), stages=frozenset({stage})) for stage in Stage]
    provider = ScriptedProvider(reply("hello to you ", "and more"), before=barrier.provider)
    force = make_force(*rules, detectors=detectors)
    return Parts(force=force, provider=provider, tap=barrier.ledger, teams=ONE_AT_ONCE)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("point", "kinds"), LEAVING.items())
async def test_a_client_that_leaves_anywhere_leaves_one_record(
    point: str, kinds: list[str], stream: bool
) -> None:
    barrier = Barrier(point)
    world = await make_relay(guarded_by(barrier))
    running = asyncio.get_running_loop().create_task(consume(world, world.request(stream=stream)))
    await asyncio.wait_for(barrier.reached.wait(), 5)
    barrier.shut = False

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert world.kinds == kinds
    assert world.decision["outcome"] == "abandoned"
    assert world.store.database.open_calls == {}
    assert world.provider.closed == len(world.provider.calls)
    await room_is_free(world)


@pytest.mark.parametrize("where", ["input", "output"])
async def test_a_client_that_leaves_while_a_person_looks_leaves_one_record(where: str) -> None:
    world = await make_relay(
        force=watching("hold"), provider=ScriptedProvider(reply("a secret")), teams=ONE_AT_ONCE
    )
    text = "my secret" if where == "input" else "hello"
    running = asyncio.get_running_loop().create_task(consume(world, world.request(text)))
    while HELD_RECORD not in world.kinds:  # noqa: ASYNC110 - the record is the only sign
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert world.kinds[-2:] == [HELD_RECORD, DECISION]
    assert world.decision["outcome"] == "abandoned"
    assert world.store.database.open_calls == {}
    await room_is_free(world)


async def test_a_call_that_the_sweeper_closed_gets_no_second_outcome() -> None:
    barrier = Barrier("chunk 2")
    world = await make_relay(guarded_by(barrier))
    running = asyncio.get_running_loop().create_task(consume(world, world.request()))
    await asyncio.wait_for(barrier.reached.wait(), 5)
    world.store.database.age(60)
    other = FakeStore(world.store.database, "other")
    assert await other.ledger.close_abandoned(now=world.clock.now()) == 1

    running.cancel()
    await asyncio.wait({running})

    assert world.kinds == [INTENT, "inference.interrupted"]


async def test_a_client_that_leaves_between_chunks_leaves_one_record() -> None:
    world = await make_relay(teams=ONE_AT_ONCE)
    items: AsyncGenerator[Chunk | Waiting, None] = world.relay.relay(
        world.request(stream=True), Progress("call_1")
    )
    await anext(items)
    await items.aclose()

    assert world.kinds == [INTENT, DECISION]
    assert world.decision["outcome"] == "abandoned"
    assert world.provider.closed == 1
    await room_is_free(world)


async def test_a_client_that_leaves_after_the_last_chunk_has_had_it() -> None:
    world = await make_relay()
    items = world.relay.relay(world.request(), Progress("call_1"))
    await anext(items)
    await items.aclose()

    assert world.decision["outcome"] == "completed"


async def test_calls_side_by_side_each_leave_their_own_outcome() -> None:
    world = await make_relay(
        provider=ScriptedProvider(reply("a ", "b"), before=lambda: asyncio.sleep(0))
    )

    async def one(number: int) -> None:
        progress = Progress(f"call_{number}")
        request = world.request(stream=bool(number % 2))
        running = asyncio.get_running_loop().create_task(consume(world, request, progress))
        if number % 3 == 0:
            await asyncio.sleep(0)
            running.cancel()
        await asyncio.wait({running})

    await asyncio.gather(*(one(number) for number in range(60)))

    calls = [one.call for one in world.store.ledger.records if one.kind == DECISION]
    assert sorted(map(str, calls)) == sorted(f"call_{number}" for number in range(60))
    assert world.store.database.open_calls == {}
