"""What a crowd and a giant do: memory under a thousand streams at once, and what a huge body costs others."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import Any

import uvloop

from tests.bench.figures import Row
from tests.bench.gateways import Gateway
from tests.bench.load import BadAnswersError
from tests.bench.prompts import body
from tests.bench.rig import loadgen

STREAMS = 1000
LASTING = "mock~tokens=400~delay_ms=50"
"""Twenty seconds of text for each stream."""
SAMPLES = (0.3, 0.6, 0.9)
"""When memory is looked at, as parts of the streams' time."""


def crowding(ours: Gateway) -> list[Row]:
    """Memory of the worker with so many streams, looked at with patterns."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        memory, slowest = runner.run(_crowd(ours))
        body_rows = runner.run(_giants(ours))
    before, *during, after = memory
    told = ", ".join(f"{one:.0f}" for one in during)
    return [
        Row(
            f"memory with {STREAMS} streams at once",
            max(during),
            unit=" MB",
            note=f"{before:.0f} before; {told} at {SAMPLES}; {after:.0f} after; slowest {slowest:.1f} s",
        ),
        Row(
            "memory's growth from 30 % to 90 % of them",
            during[-1] / during[0],
            at_most=1.1,
            unit=" x",
        ),
        *body_rows,
    ]


async def _crowd(ours: Gateway) -> tuple[list[float], float]:
    rig: Any = loadgen()
    pool = rig.Pool(rig.Target(ours.chat, ours.keys["patterns"], []), True)
    wire = pool.target.request(body("Tell me of the river.", model=LASTING, stream=True))
    memory = [ours.child.rss()]
    began = time.perf_counter()

    async def watch() -> None:
        for part in SAMPLES:
            await asyncio.sleep(began + part * 20 - time.perf_counter())
            memory.append(ours.child.rss())

    watching = asyncio.create_task(watch())  # noqa: TID251  awaited below
    shots = await asyncio.gather(
        *(pool.fire(wire, time.perf_counter(), 300) for _ in range(STREAMS))
    )
    took = time.perf_counter() - began
    await watching
    pool.close()
    if bad := [shot.status for shot in shots if shot.status != 200]:
        raise BadAnswersError(f"{len(bad)} of {STREAMS} streams, first {bad[0]}")
    return [*memory, ours.child.rss()], took


async def _giants(ours: Gateway) -> list[Row]:
    """A body of 5 MB, and one just within the limit while others go on."""
    began = time.perf_counter()
    status = await _send(ours, 5 << 20)
    refused = time.perf_counter() - began
    alone = [await _small(ours) for _ in range(20)]
    large = asyncio.create_task(_send(ours, 1_900_000))  # noqa: TID251  awaited below
    await asyncio.sleep(0.2)
    beside: list[float] = []
    while not large.done() and len(beside) < 100:
        beside.append(await _small(ours))
    status_large = await large
    note = f"status {status}"
    told = f"{1e3 * max(beside):.0f} ms at most, alone {1e3 * statistics.median(alone):.0f} ms"
    return [
        Row("a body of 5 MB: answered after", refused, at_most=2, unit=" s", note=note),
        Row(
            "a call beside one of 1.9 MB",
            1e3 * statistics.median(beside),
            unit=" ms",
            note=f"{told}; {len(beside)} calls; the large one: {status_large}",
        ),
    ]


async def _send(ours: Gateway, size: int) -> int:
    content = "It was said that the river ran on past the mill. " * (size // 49)
    return (await _post(ours, content))[0]


async def _small(ours: Gateway) -> float:
    status, took = await _post(ours, "Tell me of the river.")
    if status != 200:
        raise BadAnswersError(f"a small call beside a large one: {status}")
    return took


async def _post(ours: Gateway, content: str) -> tuple[int, float]:
    rig: Any = loadgen()
    pool = rig.Pool(rig.Target(ours.chat, ours.keys["patterns"], []), False)
    messages = [{"role": "user", "content": content}]
    sent = json.dumps({"model": "chat", "messages": messages}).encode()
    began = time.perf_counter()
    shot = await pool.fire(pool.target.request(sent), began, 300)
    pool.close()
    return shot.status, time.perf_counter() - began
