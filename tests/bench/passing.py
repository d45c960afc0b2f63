"""The price of a call that nothing is looked for in: whole, with every span recorded, and as a stream."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.figures import Row, median_ratio, spread
from tests.bench.gateways import Gateway
from tests.bench.load import Cost, Load, measure
from tests.bench.pace import Pace
from tests.bench.prompts import body

CLEAN = "Tell me a short story about a fox and a bridge."
TOKENS = 100


def passing(
    floor: Gateway, plain: Gateway, traced: Gateway, proxy: Gateway | None, pace: Pace
) -> list[Row]:
    """Gateway CPU per request at 16 connections, to the bare relay's."""
    targets = [floor, plain, traced, *([proxy] if proxy else [])]
    sent = body(CLEAN)
    loads = [Load(one.chat, one.keys["pass"], lambda _: sent) for one in targets]
    bare, ours, spans, *rest = _rounds(targets, loads, pace)
    costs = [[cost.per_answer for cost in one] for one in (bare, ours, spans)]
    absolute = f"{1e6 * min(costs[1]):.0f} us to {1e6 * min(costs[0]):.0f} us at best"
    rows = [
        _row("pass-through, no exporter: CPU / bare relay", costs[1], costs[0], 8, absolute),
        _row("pass-through, every span: CPU / bare relay", costs[2], costs[0], 14),
    ]
    what = "LiteLLM proxy: CPU / ours"
    if not rest:
        return [*rows, Row(what, None, note="left out by --quick, or no .venv-bench here")]
    theirs = [cost.per_answer for cost in rest[0]]
    note = f"{spread(theirs, costs[1])}; it records nothing durably"
    return [*rows, Row(what, median_ratio(theirs, costs[1]), unit=" x", note=note)]


def streaming(floor: Gateway, plain: Gateway, pace: Pace) -> list[Row]:
    """Tokens per second at saturation, 8 connections, 100 tokens without delay, to the bare relay's."""
    targets = [floor, plain]
    names = ["mock~tokens=100", "hundred"]
    sent = [body(CLEAN, model=name, stream=True) for name in names]
    loads = [
        Load(one.chat, one.keys["pass"], lambda _, own=own: own, connections=8, stream=True)
        for one, own in zip(targets, sent, strict=True)
    ]
    bare, ours = _rounds(targets, loads, pace)
    return [
        _stream_row(
            "streaming: tokens/s / bare relay",
            [[one.rate for one in each] for each in (ours, bare)],
        ),
        # Where something else bounds the floor, such as neighbours on the load's core, only this tells.
        _stream_row(
            "streaming: tokens per CPU second / bare relay",
            [[1 / one.per_answer for one in each] for each in (ours, bare)],
        ),
    ]


def _stream_row(what: str, rates: Sequence[Sequence[float]]) -> Row:
    own, floor = rates
    best = " to ".join(f"{TOKENS * max(one):.0f}" for one in rates)
    note = f"{spread(own, floor)}; {best} at best"
    return Row(what, median_ratio(own, floor), at_least=0.25, unit=" x", note=note)


def _rounds(targets: Sequence[Gateway], loads: Sequence[Load], pace: Pace) -> list[list[Cost]]:
    """A B C, A B C, ... after a first round that only warms up; the costs by target."""
    costs: list[list[Cost]] = [[] for _ in targets]
    for number in range(pace.rounds + 1):
        for place, (target, load) in enumerate(zip(targets, loads, strict=True)):
            seconds = pace.seconds if number else min(1.0, pace.seconds)
            cost = measure(target.child, load, seconds=seconds)
            if number:
                costs[place].append(cost)
    return costs


def _row(
    what: str, ours: Sequence[float], floor: Sequence[float], at_most: float, note: str = ""
) -> Row:
    told = f"{spread(ours, floor)}{'; ' if note else ''}{note}"
    return Row(what, median_ratio(ours, floor), at_most=at_most, unit=" x", note=told)
