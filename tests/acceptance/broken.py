"""A gateway whose detector `pii` raises or hangs on a word, run as a process of its own.

`python -m tests.acceptance.broken CONFIG`: the word RAISE or HANG in a text says how it breaks.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.model import Finding, Window
from gateway.core.ports import Detector, Reach
from gateway.detectors.source import Detectors
from gateway.http.serving import serve
from gateway.settings import load_settings
from gateway.wiring import open_services


@dataclass(frozen=True, slots=True)
class Breaking:
    """Stands before a real detector and breaks where the text says so."""

    real: Detector

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def version(self) -> str:
        return self.real.version

    @property
    def emits(self) -> tuple[str, ...]:
        return self.real.emits

    @property
    def fingerprint(self) -> str:
        return self.real.fingerprint

    @property
    def reach(self) -> Reach:
        return self.real.reach

    @property
    def budget(self) -> float:
        return 1.0

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        text = "".join(window.text for window in windows)
        if "RAISE" in text:
            raise RuntimeError(text)
        if "HANG" in text:
            await asyncio.to_thread(time.sleep, 3)
        return await self.real.detect(windows)


class BreakingSource:
    def __init__(self, real: Detectors) -> None:
        self._real = real

    def names(self) -> Sequence[str]:
        return self._real.names()

    def build(self, name: str, options: Mapping[str, Any]) -> Detector:
        built = self._real.build(name, options)
        return Breaking(built) if name == "pii" else built


async def main(config: str) -> None:
    settings = load_settings(Path(config), {})
    source = BreakingSource(Detectors(settings.data))
    async with open_services(settings, source=source) as services:
        await serve(services, lambda *_: None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[-1]))
