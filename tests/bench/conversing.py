"""A conversation is sent again whole on every turn: what a late turn costs the detectors, to an early one.

The same bodies go through the same process under a policy without detectors; the difference is theirs.
"""

from __future__ import annotations

import json
import statistics
import urllib.request
from typing import Any

from tests.bench.figures import Row, median_ratio, spread
from tests.bench.gateways import Gateway
from tests.bench.pace import Pace
from tests.bench.prompts import text

TURNS = 20
_BLOCK = 1_000_000
"""Numbers of texts of one conversation do not meet those of another, nor the model server's."""


def conversing(ours: Gateway, pace: Pace) -> list[Row]:
    """Detector CPU of turn 20 to that of turn 2, with equal new text: one conversation after another."""
    early: list[float] = []
    late: list[float] = []
    for number in range(pace.conversations + 1):
        cost = _converse(ours, number)
        if number:  # the first one warms up
            early.append(cost[2])
            late.append(cost[TURNS])
    count = len(early)
    note = (
        f"{spread(late, early)}; {1e3 * statistics.median(late):.1f} ms to "
        f"{1e3 * statistics.median(early):.1f} ms, {count} conversations"
    )
    what = "conversation: detector CPU of turn 20 / turn 2"
    return [Row(what, median_ratio(late, early), at_most=1.5, unit=" x", note=note)]


def _converse(ours: Gateway, number: int) -> dict[int, float]:
    """The detectors' CPU by turn, where it is measured."""
    talk: list[dict[str, Any]] = []
    cost: dict[int, float] = {}
    for turn in range(1, TURNS + 1):
        talk.append({"role": "user", "content": text(_BLOCK * (number + 1) + turn)})
        body = json.dumps({"model": "echo", "messages": talk}).encode()
        answer, guarded = _ask(ours, "pii", body)
        if turn in {2, TURNS}:
            cost[turn] = guarded - _ask(ours, "pass", body)[1]
        talk.append({"role": "assistant", "content": answer})
    return cost


def _ask(ours: Gateway, team: str, body: bytes) -> tuple[str, float]:
    """The answer, and the CPU that it took."""
    cpu = ours.child.cpu()
    answer = _answer(ours, team, body)
    return answer, ours.child.cpu() - cpu


def _answer(ours: Gateway, team: str, body: bytes) -> str:
    headers = {
        "authorization": f"Bearer {ours.keys[team]}",
        "content-type": "application/json",
    }
    request = urllib.request.Request(ours.chat, body, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - loopback
        return json.loads(reply.read())["choices"][0]["message"]["content"]
