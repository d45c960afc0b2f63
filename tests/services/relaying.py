"""What the tests of the relay share: a policy that watches for a word, and a client that reads."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from gateway.core.model import Chunk, Finished, Text
from gateway.core.policy import Hold
from gateway.core.ports import InForce, Reach
from gateway.services.limits import Allowance, TeamAllowance
from gateway.services.relay import Progress, Request
from tests.factories import (
    TEAM,
    World,
    make_force,
    make_rule,
)
from tests.fakes import ScriptedDetector, finds

SECRET = finds("secret", "secret.word")
ONE_AT_ONCE = {TEAM: TeamAllowance(Allowance(concurrent=1))}
INTENT, HELD_RECORD, DECISION = "inference.intent", "inference.held", "inference.decision"


def watching(action: str, *, hold: Hold | None = None) -> InForce:
    """A policy that does this to the word `secret`."""
    detector = ScriptedDetector("secret", SECRET, ("secret",), Reach(2, 8, 8, 8))
    return make_force(make_rule("secret", action), detectors=[detector], hold=hold)


async def consume(
    world: World,
    request: Request,
    progress: Progress | None = None,
    into: list[Any] | None = None,
) -> list[Any]:
    """All that comes of a call; `into` has it even if the call fails."""
    left: list[Any] = [] if into is None else into
    async with aclosing(world.relay.relay(request, progress or Progress("call_1"))) as items:
        async for one in items:
            left.append(one)  # noqa: PERF401 - what came before an error counts
    return left


def said(items: list[Any]) -> str:
    parts = [part for one in items if isinstance(one, Chunk) for part in one.parts]
    return "".join(part.text for part in parts if isinstance(part, Text))


def reasons(items: list[Any]) -> list[str]:
    parts = [part for one in items if isinstance(one, Chunk) for part in one.parts]
    return [part.reason for part in parts if isinstance(part, Finished)]


async def room_is_free(world: World) -> None:
    """One call fits at a time: that there is room means that the last one gave it back."""
    with world.relay.limits.admit(await world.relay.keys.identify(world.key)):
        pass
