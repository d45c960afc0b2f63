"""Places where a text has characters that no reader sees, or that were made readable.

It reports what the canonical view met, whatever stands there. What only decoding shows, and what
another detector finds across such a place, is the lookout's to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from gateway.core.model import Finding, Window
from gateway.core.ports import Reach

NAME: Final = "obfuscation"
VERSION: Final = "1"


class ObfuscationOptions(BaseModel):
    """What a policy may say under `detectors: {obfuscation: …}`: nothing yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ObfuscationDetector:
    """Reads `Window.hidden` alone, so it needs neither weights nor a thread."""

    name = NAME
    version = VERSION
    emits = (NAME,)
    fingerprint = f"{NAME}/{VERSION}"
    reach = Reach(min=64, max=96, before=1, after=1)
    budget = 5.0

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        return [_findings(window) for window in windows]


def _findings(window: Window) -> list[Finding]:
    spans = sorted({_seen(place, len(window.text)) for place in window.hidden})
    return [
        Finding(NAME, 1.0, start, end, NAME, VERSION)
        for start, end in spans
        if start < end and start < window.core_end and end > window.core_start
    ]


def _seen(place: tuple[int, int], length: int) -> tuple[int, int]:
    """The place; where nothing is left of it, the characters on both sides."""
    start, end = place
    return (start, end) if start < end else (max(start - 1, 0), min(end + 1, length))
