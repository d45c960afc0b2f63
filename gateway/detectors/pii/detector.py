"""Personal data. Says where, what and how surely; never what it says, and never what to do about it.

Patterns read the whole window; spaCy's NER reads the core with some words around it. All work runs
on a lane, off the event loop.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.core.model import Finding, Window
from gateway.core.ports import Reach
from gateway.detectors.lane import Lane
from gateway.detectors.pii.hits import Hit, settle
from gateway.detectors.pii.names import Names
from gateway.detectors.pii.options import PiiOptions
from gateway.detectors.pii.patterns import Patterns

NAME = "pii"
RUN_ON = 512
"""How far an e-mail address or a URL that leaves its window is followed to its end."""
PATTERNS_REACH = Reach(min=52, max=64, before=96, after=72, run_on=RUN_ON)
"""First text after at most 152 code points; every bounded pattern (IBAN: 42) lies in its window."""
NAMES_REACH = Reach(min=480, max=554, before=128, after=80, run_on=RUN_ON)
"""First text after at most 650 code points. Longer cores cost less: each is read with its context."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NER_BEFORE, _NER_AFTER = 48, 40
"""Context that NER reads around a core. Measured: docs/detectors.md."""


@dataclass(frozen=True, slots=True)
class PiiDetector:
    """One set of options. `names` is None when no entity needs spaCy's weights."""

    options: PiiOptions
    version: str
    patterns: Patterns
    names: Names | None
    lane: Lane
    budget: float = 5.0
    name: str = field(default=NAME, init=False)

    @property
    def emits(self) -> tuple[str, ...]:
        return tuple(_label(entity) for entity in self.options.entities)

    @property
    def fingerprint(self) -> str:
        options = hashlib.sha256(self.options.model_dump_json().encode()).hexdigest()
        return f"{NAME}/{self.version}/{options}"

    @property
    def reach(self) -> Reach:
        return NAMES_REACH if self.names else PATTERNS_REACH

    @property
    def ended(self) -> int:
        return self.lane.ended

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        return await self.lane.run(self._look, windows)

    def _look(self, windows: Sequence[Window]) -> list[list[Finding]]:
        windows = [_readable(window) for window in windows]
        return [
            self._findings(window, named)
            for window, named in zip(windows, self._names(windows), strict=True)
        ]

    def _names(self, windows: Sequence[Window]) -> Sequence[Sequence[Hit]]:
        if self.names is None:
            return [()] * len(windows)
        cuts = [_cut(window) for window in windows]
        texts = [window.text[start:end] for window, (start, end) in zip(windows, cuts, strict=True)]
        found = self.names.look(texts, frozenset(self.options.entities))
        return [
            [hit.moved(start) for hit in hits] for hits, (start, _) in zip(found, cuts, strict=True)
        ]

    def _findings(self, window: Window, named: Sequence[Hit]) -> list[Finding]:
        seen = self.patterns.look(window.text, window.core_start, window.core_end)
        hits = [*seen, *(hit for hit in named if hit.meets(window.core_start, window.core_end))]
        sure = [hit for hit in hits if hit.score >= self.options.min_score]
        return [
            Finding(_label(hit.entity), hit.score, hit.start, hit.end, NAME, self.version)
            for hit in settle(sure)
            if window.text[hit.start : hit.end] not in self.options.allow
        ]


def _readable(window: Window) -> Window:
    """JSON may carry lone surrogates, which spaCy cannot read. One code point stands for another."""
    if window.text.isascii():
        return window
    return replace(window, text=_SURROGATE.sub("\ufffd", window.text))


def _label(entity: str) -> str:
    return f"{NAME}.{entity.lower()}"


def _cut(window: Window) -> tuple[int, int]:
    """What NER reads of a window: the core and some context, not cut inside a word if avoidable."""
    start = max(0, window.core_start - _NER_BEFORE)
    end = min(len(window.text), window.core_end + _NER_AFTER)
    return start, end
