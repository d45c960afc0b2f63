"""The price of looking: seven entities on input and output, against Presidio as it comes."""

from __future__ import annotations

import itertools

from tests.bench.analyzer import pairs
from tests.bench.figures import Row, median_ratio, spread
from tests.bench.gateways import Gateway
from tests.bench.load import Load, measure
from tests.bench.pace import Pace
from tests.bench.processes import Child
from tests.bench.prompts import body, question

CONNECTIONS = 4
TARGETS = {"pii": 0.65, "patterns": 0.12}


def guarding(ours: Gateway, floor: Child, pace: Pace) -> list[Row]:
    """All CPU of a request, to two stock `analyze` calls; no text is seen twice and nothing is cached."""
    numbers = itertools.count(step=pace.prompts)
    costs: dict[str, list[float]] = {"floor": [], **{team: [] for team in TARGETS}}
    for warm in [True, *[False] * pace.rounds]:
        got = {"floor": pairs(floor.process, next(numbers), pace.prompts)}
        for team in TARGETS:
            load = Load(
                ours.chat,
                ours.keys[team],
                lambda n: body(question(n), model="echo"),
                connections=CONNECTIONS,
            )
            cost = measure(ours.child, load, requests=pace.prompts, first=next(numbers))
            got[team] = cost.per_answer
        if not warm:
            for name, seconds in got.items():
                costs[name].append(seconds)
    return [_row(team, costs) for team in TARGETS]


def _row(team: str, costs: dict[str, list[float]]) -> Row:
    own, floor = costs[team], costs["floor"]
    what = {"pii": "pii, names too", "patterns": "pii, patterns only"}[team]
    note = f"{spread(own, floor)}; {1e3 * min(own):.1f} ms to {1e3 * min(floor):.1f} ms at best"
    return Row(
        f"{what}: CPU / 2 stock analyze",
        median_ratio(own, floor),
        at_most=TARGETS[team],
        unit=" x",
        note=note,
    )
