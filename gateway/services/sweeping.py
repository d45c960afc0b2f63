"""What a replica does on its own, every few seconds. It never calls a model.

It keeps its lease, closes what a crash left open, and writes the last records that could not be written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from gateway.core.errors import AuditUnavailable
from gateway.core.ports import Clock, Ledger
from gateway.services.closing import Closing

_LOG = logging.getLogger("wardgate.sweeper")
EVERY = 2.0
"""Seconds. With a lease of 10 s, what a crash left open is closed within 15 s of the next start."""


class Sweeping:
    def __init__(self, ledger: Ledger, closing: Closing, clock: Clock) -> None:
        self._ledger = ledger
        self._closing = closing
        self._clock = clock

    async def sweep(self) -> int:
        """One round; how many open calls it closed. Raise AuditUnavailable."""
        await self._ledger.heartbeat()
        await self._closing.retry()
        return await self._ledger.close_abandoned(now=self._clock.now())

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Sweep while the block runs."""
        # Not a task group: it would wrap every error of the block in an ExceptionGroup.
        task = asyncio.get_running_loop().create_task(self._rounds(), name="sweeper")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _rounds(self) -> None:
        while True:
            try:
                if closed := await self.sweep():
                    _LOG.info("closed %d calls that a crash had left open", closed)
            except AuditUnavailable:
                _LOG.warning("the audit log cannot be written; trying again")
            except Exception as error:  # noqa: BLE001 - a round that fails must not end the rounds
                _LOG.error("a sweep failed: %s", type(error).__name__)
            await asyncio.sleep(EVERY)
