"""Load in a closed loop, by the rig's HTTP client: so many connections, each sending as fast as it is answered.

What has begun is awaited, so CPU over answers counts every request wholly.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvloop

from tests.bench.processes import Child
from tests.bench.rig import loadgen


@dataclass(frozen=True, slots=True)
class Load:
    """Where to send, as whom, and how: `bodies` gives the body of request number n."""

    url: str
    key: str
    bodies: Callable[[int], bytes]
    connections: int = 16
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What a round took of the target's CPU (seconds) and of time."""

    answers: int
    cpu: float
    wall: float

    @property
    def per_answer(self) -> float:
        return self.cpu / self.answers

    @property
    def rate(self) -> float:
        """Answers in a second of wall time."""
        return self.answers / self.wall


class BadAnswersError(RuntimeError):
    """A figure over answers that are no answers would lie."""


def measure(
    target: Child, load: Load, *, seconds: float = 0, requests: int = 0, first: int = 0
) -> Cost:
    """One round: for so many seconds, or exactly so many requests. Raise BadAnswersError."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(target, load, seconds, requests, first))


async def _measure(target: Child, load: Load, seconds: float, requests: int, first: int) -> Cost:
    rig: Any = loadgen()
    pool = rig.Pool(rig.Target(load.url, load.key, []), load.stream)
    statuses: list[int] = []
    sent = first
    cpu, began = target.cpu(), time.perf_counter()

    async def connection() -> None:
        nonlocal sent
        while sent - first < requests if requests else time.perf_counter() - began < seconds:
            wire = pool.target.request(load.bodies(sent))
            sent += 1
            shot = await pool.fire(wire, time.perf_counter(), 60)
            statuses.append(shot.status)

    await asyncio.gather(*(connection() for _ in range(load.connections)))
    cost = Cost(len(statuses), target.cpu() - cpu, time.perf_counter() - began)
    pool.close()
    if bad := [status for status in statuses if status != 200]:
        raise BadAnswersError(
            f"{target.name}: {len(bad)} of {len(statuses)} answers, first {bad[0]}"
        )
    return cost
