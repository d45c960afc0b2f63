"""How much a team and each of its keys may ask: requests a minute, and calls at once.

Counted in this process; a refused call counts for nothing. Several replicas come with their own issue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.errors import OverLimit
from gateway.core.model import NOTHING, Caller
from gateway.core.ports import Clock


@dataclass(frozen=True, slots=True)
class Allowance:
    """None is no limit. Requests a minute come as a bucket that holds a minute's worth."""

    requests_per_minute: int | None = None
    concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class TeamAllowance:
    team: Allowance = field(default_factory=Allowance)
    each_key: Allowance = field(default_factory=Allowance)


@dataclass(slots=True)
class _Meter:
    tokens: float
    filled: float
    running: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """Room that a call has; given back when it ends."""

    meters: tuple[_Meter, ...]

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for meter in self.meters:
            meter.running -= 1


class Limits:
    def __init__(self, clock: Clock, teams: Mapping[str, TeamAllowance] = NOTHING) -> None:
        self._clock = clock
        self._teams = teams
        self._meters: dict[tuple[str, str], _Meter] = {}

    def admit(self, caller: Caller) -> Room:
        """Room for one call, taken now. Raise OverLimit, saying when to try again."""
        allowance = self._teams.get(caller.team)
        if allowance is None:
            return Room(())
        wanted = [
            (self._meter("team", caller.team, allowance.team), allowance.team),
            (self._meter("key", caller.key, allowance.each_key), allowance.each_key),
        ]
        for meter, own in wanted:
            _check(meter, own)
        for meter, _ in wanted:
            meter.tokens -= 1
            meter.running += 1
        return Room(tuple(meter for meter, _ in wanted))

    def _meter(self, sort: str, name: str, own: Allowance) -> _Meter:
        full = float(own.requests_per_minute or 0)
        now = self._clock.monotonic()
        meter = self._meters.setdefault((sort, name), _Meter(full, now))
        meter.tokens = min(full, meter.tokens + (now - meter.filled) * full / 60)
        meter.filled = now
        return meter


def _check(meter: _Meter, own: Allowance) -> None:
    if own.concurrent is not None and meter.running >= own.concurrent:
        raise OverLimit(
            f"At most {own.concurrent} calls at once. Wait for one to end.", retry_after=1
        )
    if own.requests_per_minute is not None and meter.tokens < 1:
        seconds = (1 - meter.tokens) * 60 / max(own.requests_per_minute, 1)
        raise OverLimit(
            f"At most {own.requests_per_minute} requests a minute.",
            retry_after=max(1, math.ceil(seconds)),
        )
