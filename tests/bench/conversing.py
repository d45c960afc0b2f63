"""A conversation is sent again whole on every turn: what a late turn costs the detectors, to an early one.

The same bodies go through the same process under a policy without detectors; the difference is theirs.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.bench.figures import Row
from tests.bench.gateways import Gateway
from tests.bench.pace import Pace
from tests.bench.prompts import text

TURNS = 20
_BLOCK = 1_000_000
"""Numbers of texts of one conversation do not meet those of another, nor the model server's."""


def conversing(ours: Gateway, pace: Pace) -> list[Row]:
    """Detector CPU of turn 20 to that of turn 2, all conversations together, equal new text."""
    talks: list[list[dict[str, Any]]] = [[] for _ in range(pace.conversations)]
    guarded: dict[int, float] = {}
    passed: dict[int, float] = {}
    for turn in range(1, TURNS + 1):
        for place, talk in enumerate(talks):
            asked = text(_BLOCK * (place + 1) + turn)
            talk.append({"role": "user", "content": asked})
        bodies = [_body(talk) for talk in talks]
        answers, guarded[turn] = _ask(ours, "pii", bodies)
        if turn in {2, TURNS}:
            passed[turn] = _ask(ours, "pass", bodies)[1]
        for talk, answer in zip(talks, answers, strict=True):
            talk.append({"role": "assistant", "content": answer})
    early, late = (guarded[turn] - passed[turn] for turn in (2, TURNS))
    count = len(talks)
    note = (
        f"{1e3 * late / count:.1f} ms to {1e3 * early / count:.1f} ms, {count} conversations; "
        f"pass-through of the same {1e3 * passed[TURNS] / count:.1f} and {1e3 * passed[2] / count:.1f} ms"
    )
    what = "conversation: detector CPU of turn 20 / turn 2"
    return [Row(what, late / early, at_most=1.5, unit=" x", note=note)]


def _body(talk: list[dict[str, Any]]) -> bytes:
    return json.dumps({"model": "echo", "messages": talk}).encode()


def _ask(ours: Gateway, team: str, bodies: list[bytes]) -> tuple[list[str], float]:
    """The answers, one after another, and the CPU that they took."""
    cpu = ours.child.cpu()
    answers = [_answer(ours, team, body) for body in bodies]
    return answers, ours.child.cpu() - cpu


def _answer(ours: Gateway, team: str, body: bytes) -> str:
    headers = {
        "authorization": f"Bearer {ours.keys[team]}",
        "content-type": "application/json",
    }
    request = urllib.request.Request(ours.chat, body, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - loopback
        return json.loads(reply.read())["choices"][0]["message"]["content"]
