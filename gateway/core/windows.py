"""Where a text is cut for detectors: cores tile a Field from 0, windows add context (ARCHITECTURE part 4).

Cuts depend on the text alone, never on how it arrived: no timer, chunk edge or batch moves one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gateway.core.model import Window
from gateway.core.ports import Reach

NUDGE = 16
"""How far, in code points, a hard cut moves right so as not to precede a mark that joins."""
_EDGE = re.compile(r"(?<=\s)\S")
_JOINERS = frozenset("\u200c\u200d\u2060")


@dataclass(frozen=True, slots=True)
class Cut:
    """A settled window, and what orders it among others: when it settled, then where it ends and begins."""

    settled: int
    window_end: int
    core_start: int
    core_end: int
    window: Window


@dataclass(frozen=True, slots=True)
class Known:
    """What of a text has come: `text` begins at offset `base`; `ended` when no more can come."""

    text: str
    base: int
    ended: bool

    @property
    def end(self) -> int:
        return self.base + len(self.text)

    def slice(self, start: int, end: int) -> str:
        return self.text[max(start, self.base) - self.base : end - self.base]


def joins(character: str) -> bool:
    """Whether a character belongs to the one before it: marks, joiners, variation selectors."""
    return (
        character in _JOINERS
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or unicodedata.category(character) in {"Mn", "Mc", "Me"}
    )


def core_end(known: Known, start: int, reach: Reach) -> int | None:
    """Where the core that begins at `start` ends; None while that is not known."""
    hard = start + reach.max
    edge = _EDGE.search(
        known.text, start + reach.min - known.base, min(hard, known.end) - known.base
    )
    if edge:
        return edge.start() + known.base
    end = hard
    while end < min(known.end, hard + NUDGE) and joins(known.text[end - known.base]):
        end += 1
    if end < known.end or (end == known.end and end == hard + NUDGE):
        return end
    return known.end if known.ended else None


def next_cut(known: Known, start: int, reach: Reach) -> Cut | None:
    """The window whose core begins at `start`, once it is settled.

    That is when every code point up to `after` beyond its core (one at least, to know the edge) is
    known, or the text ended.
    """
    ahead = max(reach.after, 1)
    if not known.ended and known.end < start + reach.min + ahead:
        return None
    if start >= known.end:
        return None
    end = core_end(known, start, reach)
    if end is None or (not known.ended and known.end < end + ahead):
        return None
    begin = max(start - reach.before, 0)
    window_end = min(end + reach.after, known.end)
    window = Window(known.slice(begin, window_end), begin, start - begin, end - begin)
    return Cut(min(end + ahead, known.end + 1), window_end, start, end, window)
