"""What looking costs a stream: the wait for its first text, each token's delay, tokens in a CPU second."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, cycle, islice
from typing import Any

import aiohttp

from tests.bench.figures import Row
from tests.bench.gateways import Gateway
from tests.bench.load import BadAnswersError, Load, measure
from tests.bench.pace import Pace
from tests.bench.prompts import body
from tests.bench.rig import mock_upstream

TOKENS, GAP = 200, 0.010
SETS = ("pass", "keywords", "patterns", "toxicity", "pii", "everything")
FIRST_BY = {"patterns": 30, "pii": 130}
"""Upstream tokens by which the first text must have left."""
SLOW = f"mock~tokens={TOKENS}~delay_ms={GAP * 1000:g}"
STREAMS = 4
"""At once, for each target in turn."""
PROMPT = "Tell me of the river."


@dataclass
class Delays:
    """Seconds: from the request to the first text; and how much later than its moment each token came.

    The moment of token number n is n gaps after the request.
    """

    first: list[float] = field(default_factory=list[float])
    tokens: list[float] = field(default_factory=list[float])


def flowing(floor: Gateway, ours: Gateway, pace: Pace) -> list[Row]:
    """Interleaved: the bare relay, then each set of detectors, round by round."""
    targets = [("bare relay", floor, "pass"), *((name, ours, name) for name in SETS)]
    seen = {name: Delays() for name, _, _ in targets}
    for number in range(pace.rounds + 1):
        for name, gateway, team in targets:
            got = asyncio.run(_streams(gateway, team))
            if number:
                seen[name].first += got.first
                seen[name].tokens += got.tokens
    bare = seen["bare relay"]
    return [*(_delay_row(name, seen[name], bare) for name in SETS), *_rates(ours, pace)]


async def _streams(gateway: Gateway, team: str) -> Delays:
    told = Delays()
    sent = body(PROMPT, model=SLOW, stream=True)
    headers = {
        "Authorization": f"Bearer {gateway.keys[team]}",
        "Content-Type": "application/json",
    }
    ends = _ends()
    async with aiohttp.ClientSession(headers=headers) as http:

        async def one() -> None:
            began = time.perf_counter()
            async with http.post(gateway.chat, data=sent) as answer:
                if answer.status != 200:
                    raise BadAnswersError(f"{gateway.child.name}: {answer.status}")
                await _read(answer, began, ends, told)

        await asyncio.gather(*(one() for _ in range(STREAMS)))
    return told


async def _read(
    answer: aiohttp.ClientResponse, began: float, ends: Sequence[int], told: Delays
) -> None:
    """A token has come when the last of its characters has."""
    length = token = 0
    async for line in answer.content:
        if not line.startswith(b"data: {"):
            continue
        now = time.perf_counter()
        said = _text(json.loads(line[6:]))
        if said and not length:
            told.first.append(now - began)
        length += len(said)
        while token < len(ends) and ends[token] <= length:
            told.tokens.append(now - began - token * GAP)
            token += 1
    if token < TOKENS:
        raise BadAnswersError(f"{token} of {TOKENS} tokens came")


def _text(event: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in event["choices"])


def _ends() -> Sequence[int]:
    """Where in the text each token of the mock's ends."""
    words = islice(cycle(mock_upstream().WORDS), TOKENS)
    return tuple(accumulate(len(word) + 1 for word in words))


def _delay_row(name: str, own: Delays, bare: Delays) -> Row:
    first = statistics.median(own.first) - statistics.median(bare.first)
    delay = statistics.median(own.tokens) - statistics.median(bare.tokens)
    note = (
        f"adds {1e3 * first:.0f} ms to the first text, {1e3 * delay:.0f} ms to a token; "
        f"p50, p99: first {_both(own.first)} ms (bare {_both(bare.first)}), "
        f"token {_both(own.tokens)} ms (bare {_both(bare.tokens)})"
    )
    # The first token has been sent when the bare relay shows it; then one is sent each gap.
    return Row(
        f"stream, {name}: first text by upstream token",
        1 + first / GAP,
        at_most=FIRST_BY.get(name),
        note=note,
    )


def _both(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"{1e3 * statistics.median(ordered):.1f}, {1e3 * last:.1f}"


def _rates(ours: Gateway, pace: Pace) -> list[Row]:
    """Tokens in a second of all of the gateway's CPU, without delay, nothing cached."""
    rates: dict[str, list[float]] = {name: [] for name in SETS}
    sent = body(PROMPT, model=f"mock~tokens={TOKENS}", stream=True)
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
