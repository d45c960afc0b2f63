"""What looking costs a stream: the wait for its first text, the delay of each token, tokens in a CPU second."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop

from tests.bench.figures import Row
from tests.bench.gateways import Gateway
from tests.bench.load import BadAnswersError, Load, measure
from tests.bench.pace import Pace
from tests.bench.prompts import body
from tests.bench.rig import loadgen

TOKENS, GAP = 200, 0.010
SETS = ("pass", "keywords", "patterns", "toxicity", "pii", "everything")
FIRST_BY = {"patterns": 30, "pii": 130}
"""Upstream tokens by which the first text must have left."""
SLOW = f"mock~tokens={TOKENS}~delay_ms={GAP * 1000:g}"
STREAMS = 4
"""At once, for each target in turn."""


@dataclass
class Delays:
    """Seconds: from the request to the first text, and from a token's sending to its arrival."""

    first: list[float] = field(default_factory=list[float])
    transit: list[float] = field(default_factory=list[float])


def flowing(floor: Gateway, ours: Gateway, pace: Pace) -> list[Row]:
    """Interleaved: the bare relay, then each set of detectors, round by round."""
    targets = [("bare relay", floor, "pass"), *((name, ours, name) for name in SETS)]
    seen = {name: Delays() for name, _, _ in targets}
    for number in range(pace.rounds + 1):
        for name, gateway, team in targets:
            for stamped in (False, True):
                got = _slowly(gateway, team, stamped=stamped)
                if number and stamped:
                    seen[name].transit += got.transit
                elif number:
                    seen[name].first += got.first
    rows = [row for name in SETS for row in _delay_rows(name, seen[name], seen["bare relay"])]
    return [*rows, *_rates(ours, pace)]


def _slowly(gateway: Gateway, team: str, *, stamped: bool) -> Delays:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_streams(gateway, team, f"{SLOW}~stamp=1" if stamped else SLOW))


async def _streams(gateway: Gateway, team: str, model: str) -> Delays:
    rig: Any = loadgen()
    pool = rig.Pool(rig.Target(gateway.chat, gateway.keys[team], []), True)
    wire = pool.target.request(body("Tell me of the river.", model=model, stream=True))
    told = Delays()

    async def one() -> None:
        began = time.perf_counter()
        shot = await pool.fire(wire, began, 60)
        if shot.status != 200:
            raise BadAnswersError(f"{gateway.child.name}: {shot.status}")
        told.first.append(shot.first - began)
        told.transit.extend(shot.transit)

    await asyncio.gather(*(one() for _ in range(STREAMS)))
    pool.close()
    return told


def _delay_rows(name: str, own: Delays, bare: Delays) -> list[Row]:
    first = statistics.median(own.first) - statistics.median(bare.first)
    # The first token leaves the model server as the bare relay shows it; then one comes each gap.
    token = 1 + first / GAP
    note = (
        f"first text {_both(own.first)} ms, bare {_both(bare.first)}; "
        f"a token's delay {_both(own.transit)} ms, bare {_both(bare.transit)} (p50, p99)"
    )
    bound = FIRST_BY.get(name)
    what = f"stream, {name}: first text by upstream token"
    return [Row(what, token, at_most=bound, note=note)]


def _both(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"{1e3 * statistics.median(ordered):.1f}, {1e3 * last:.1f}"


def _rates(ours: Gateway, pace: Pace) -> list[Row]:
    """Tokens in a second of all of the gateway's CPU, without delay, nothing cached."""
    rates: dict[str, list[float]] = {name: [] for name in SETS}
    sent = body("Tell me of the river.", model=f"mock~tokens={TOKENS}", stream=True)
    for number in range(pace.rounds + 1):
        for name in SETS:
            load = Load(ours.chat, ours.keys[name], lambda _: sent, connections=8, stream=True)
            cost = measure(ours.child, load, seconds=pace.seconds)
            if number:
                rates[name].append(TOKENS / cost.per_answer)
    return [
        Row(
            f"stream, {name}: tokens in a CPU second",
            statistics.median(rates[name]),
            at_least=10_000 if name == "patterns" else None,
            note=f"{min(rates[name]):.0f} to {max(rates[name]):.0f}",
        )
        for name in SETS
    ]
