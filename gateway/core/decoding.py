"""Further readings of a window: what it says to whoever decodes it, and the way back to the raw span.

A function of the window's text alone. At most `MOST` readings of any window: escapes decoded, runs
decoded, and of each of these the same again, which is the one level of nesting. Knows no detection.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from gateway.core.encodings import Found, escapes, runs
from gateway.core.model import Window

VERSION: Final = "2"
"""Changes when readings do: part of what findings are remembered under."""
MOST: Final = 6
"""Readings of one window."""


@dataclass(frozen=True, slots=True)
class Piece:
    """[start, end) of one text stands for [other, other_end) of another; between pieces they are equal."""

    start: int
    end: int
    other: int
    other_end: int


_START: Final = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A reading, a Window of its own. `pieces` lead from its text to that of `via`, or to the window's."""

    window: Window
    pieces: tuple[Piece, ...]
    via: Decoded | None = None

    def raw(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the window's text that [start, end) of this reading's text stands for.

        It holds escapes and runs whole. None where it neither meets nor borders on anything decoded:
        what stands there in plain text is the plain reading's to report.
        """
        reading: Decoded | None = self
        decoded = False
        while reading is not None:
            decoded = decoded or _met(reading.pieces, start, end)
            start, end = _moved(reading.pieces, start), _moved_end(reading.pieces, end)
            reading = reading.via
        return (start, end) if decoded else None


def decoded(window: Window) -> tuple[Decoded, ...]:
    """The readings of a window that differ from it and from each other: none of most windows.

    Their cores are what the window's core became, widened to whole escapes and runs; `hidden` is
    the plain reading's alone.
    """
    first = _level(window, None)
    if not first:
        return ()
    readings: dict[str, Decoded] = {reading.window.text: reading for reading in first}
    for reading in first:
        for nested in _level(reading.window, reading):
            readings.setdefault(nested.window.text, nested)
    readings.pop(window.text, None)
    return tuple(readings.values())


def _level(window: Window, via: Decoded | None) -> list[Decoded]:
    one, other = escapes(window.text), runs(window.text)
    if not one and not other:
        return []
    return [_written(window, found, via) for found in (one, other) if found]


def _written(window: Window, found: Sequence[Found], via: Decoded | None) -> Decoded:
    """The window with what was found in the place of what encoded it."""
    texts: list[str] = []
    inward: list[Piece] = []
    at = length = 0
    for start, end, said in found:
        texts += window.text[at:start], said
        length += start - at
        inward.append(Piece(start, end, length, length + len(said)))
        length += len(said)
        at = end
    texts.append(window.text[at:])
    core = _moved(inward, window.core_start), _moved_end(inward, window.core_end)
    outward = tuple(Piece(one.other, one.other_end, one.start, one.end) for one in inward)
    return Decoded(Window("".join(texts), window.start, *core), outward, via)


def _moved(pieces: Sequence[Piece], offset: int) -> int:
    """A start of the one text in the other: that of the whole piece when inside one."""
    index = bisect_right(pieces, offset, key=_START) - 1
    if index < 0:
        return offset
    piece = pieces[index]
    return piece.other if offset < piece.end else piece.other_end + offset - piece.end


def _moved_end(pieces: Sequence[Piece], offset: int) -> int:
    index = bisect_left(pieces, offset, key=_START) - 1
    if index < 0:
        return offset
    piece = pieces[index]
    return piece.other_end + max(offset - piece.end, 0)


def _met(pieces: Sequence[Piece], start: int, end: int) -> bool:
    """Whether [start, end) meets or borders on a piece."""
    last = bisect_right(pieces, end, key=_START) - 1
    return last >= 0 and pieces[last].end >= start
