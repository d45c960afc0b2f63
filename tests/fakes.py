"""Ports made of plain functions: a clock set by hand, detectors and models that follow a script.

Fakes of the store are in `fakes_store.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.core.model import Chunk, Finding, GuardedCall, Receipt, Window
from gateway.core.ports import Entry, Ledger, Reach

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
Look = Callable[[Window], Sequence[tuple[str, int, int]]]
"""What a window shows: label, start, end (offsets into the window)."""
Tap = Callable[[Entry], Awaitable[None]]


@dataclass
class HandClock:
    """`Clock`. Time passes when `advance` says so."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


def finds(pattern: str, label: str) -> Look:
    """What matches the pattern, under the label."""
    compiled = re.compile(pattern)
    return lambda window: [(label, *match.span()) for match in compiled.finditer(window.text)]


def sees_nothing(_: Window) -> Sequence[tuple[str, int, int]]:
    return []


async def at_once() -> None:
    """Wait for nothing."""


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


@dataclass
class ScriptedDetector:
    """`Detector`. `look` may raise; `before` is awaited first, so it may hang."""

    name: str = "scripted"
    look: Look = sees_nothing
    emits: tuple[str, ...] = ("pii",)
    reach: Reach = field(default_factory=lambda: Reach(min=3, max=9, before=6, after=4))
    budget: float = 5.0
    version: str = "1"
    score: float = 1.0
    before: Callable[[], Awaitable[None]] = at_once
    asked: list[Window] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return f"{self.name}/{self.version}"

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        self.asked.extend(windows)
        await self.before()
        return [
            [
                Finding(label, self.score, start, end, self.name, self.version)
                for label, start, end in self.look(window)
            ]
            for window in windows
        ]


@dataclass
class ScriptedProvider:
    """`Provider`: `chunks` one after another, then `error`. `before` is awaited before each."""

    chunks: Sequence[Chunk] = ()
    error: Exception | None = None
    before: Callable[[], Awaitable[None]] = at_once
    calls: list[GuardedCall] = field(default_factory=list)
    closed: int = 0
    """Generators that came to their end, however that was."""

    async def complete(self, guarded: GuardedCall) -> AsyncGenerator[Chunk, None]:
        self.calls.append(guarded)
        try:
            for chunk in self.chunks:
                await self.before()
                yield chunk
            if self.error:
                raise self.error
        finally:
            self.closed += 1


@dataclass
class TappedLedger:
    """`Ledger` before another: `tap` sees each entry first and may wait or raise."""

    tap: Tap
    inner: Ledger

    async def append(self, entry: Entry) -> Receipt:
        await self.tap(entry)
        return await self.inner.append(entry)

    async def close_abandoned(self, *, now: datetime) -> int:
        return await self.inner.close_abandoned(now=now)

    async def heartbeat(self) -> None:
        await self.inner.heartbeat()
