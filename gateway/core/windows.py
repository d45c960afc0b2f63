"""Where a text is cut for detectors: cores tile a Field from 0, windows add context (ARCHITECTURE part 4).

Cuts depend on the text alone, never on how it arrived: no timer, chunk edge or batch moves one.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
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
    """What of a text has come: `text` begins at offset `base`; `ended` when no more can come.

    `hidden` are the places, in order, where something was hidden; offsets as those of `base`.
    """

    text: str
    base: int
    ended: bool
    hidden: Sequence[tuple[int, int]] = ()

    @property
    def end(self) -> int:
        return self.base + len(self.text)

    def slice(self, start: int, end: int) -> str:
        return self.text[max(start, self.base) - self.base : end - self.base]

    def hidden_in(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """What is hidden in [start, end), counted from `start`. Nothing at `end`: it may be unknown yet."""
        at = bisect_left(self.hidden, (start, start))
        if at and self.hidden[at - 1][1] > start:
            at -= 1
        until = bisect_left(self.hidden, (end, end))
        return tuple(
            (max(first, start) - start, min(last, end) - start)
            for first, last in self.hidden[at:until]
        )


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


def settled_at(end: int, reach: Reach) -> int:
    """How much text has to be known, unless it ended, for a window whose core ends at `end`.

    One code point beyond the core at least: it says whether the core ends there.
    """
    return end + max(reach.after, 1)


def soonest(start: int, reach: Reach) -> int:
    """How much text has to be known at least, unless it ended, for the core that begins at `start`."""
    return settled_at(start + reach.min, reach)


def next_cut(known: Known, start: int, reach: Reach) -> Cut | None:
    """The window whose core begins at `start`, once it is settled.

    That is when every code point up to `after` beyond its core is known, or the text ended.
    """
    if not known.ended and known.end < soonest(start, reach):
        return None
    if start >= known.end:
        return None
    end = core_end(known, start, reach)
    if end is None:
        return None
    settled = settled_at(end, reach)
    if not known.ended and known.end < settled:
        return None
    begin = max(start - reach.before, 0)
    window_end = min(end + reach.after, known.end)
    hidden = known.hidden_in(begin, window_end) if known.hidden else ()
    window = Window(known.slice(begin, window_end), begin, start - begin, end - begin, hidden)
    return Cut(min(settled, known.end + 1), window_end, start, end, window)
