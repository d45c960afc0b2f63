"""One field of text on its way through: what came, what is settled, what is decided, what may leave.

The same code takes a whole passage and a growing reply. Text leaves up to the frontier (the least core
end that all detectors have been decided on), but never from inside a cluster that reaches it. It asks
nobody and decides nothing: windows go out by `due`, what was ruled comes back by `decide`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.core.model import Form, Window
from gateway.core.ports import Reach
from gateway.core.redact import Edit, Span, apply, clusters
from gateway.core.views import View, view_of
from gateway.core.windows import Cut, Known, next_cut

_TRIM = 4096
"""Code points that pile up before what nobody needs any more is let go."""


@dataclass(frozen=True, slots=True)
class Due:
    """A settled window that a detector (by its place) has to look at; None: there is nobody to ask."""

    detector: int
    core_end: int
    window: Window | None
    order: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Release:
    """Raw text that may leave, [start, end), and what to change in it."""

    start: int
    text: str
    edits: tuple[Edit, ...]

    @property
    def rewritten(self) -> str:
        return apply(self.text, self.edits, self.start)


class Strand:
    """`reaches` are those of the detectors that look at this field, in the policy's order."""

    def __init__(self, form: Form, reaches: Sequence[Reach], secret: bytes) -> None:
        self._reaches = tuple(reaches)
        self._secret = secret
        self._view: View = view_of(form)
        self._plain = form is Form.PLAIN
        self._looked = ""
        self._base = 0
        self._raw = ""
        self._raw_base = 0
        self._left = 0
        self._starts = [0] * len(self._reaches)
        self._decided = [0] * max(len(self._reaches), 1)
        self._asked = 0
        self._spans: list[Span] = []
        self.ended = False

    def feed(self, raw: str) -> None:
        """Take more text."""
        assert not self.ended, "a field that ended cannot grow"
        self._raw += raw
        self._looked += self._view.feed(raw)

    def end(self) -> None:
        """The field is at its normal end. A broken upstream is not an end."""
        if not self.ended:
            self._looked += self._view.close()
            self.ended = True

    @property
    def length(self) -> int:
        """Code points of looked-at text so far."""
        return self._base + len(self._looked)

    @property
    def reads_plainly(self) -> bool:
        """Whether looked-at offsets are raw offsets."""
        return self._plain

    def raw(self, looked: int) -> int:
        """Where a looked-at offset lies in the Field's own text."""
        return self._view.raw(looked)

    def due(self) -> list[Due]:
        """Windows settled since the last time, in the order in which they are decided."""
        if not self._reaches:
            if self._asked == self.length:
                return []
            self._asked = self.length
            return [Due(0, self.length, None, (self.length, self.length, 0, 0))]
        known = Known(self._looked, self._base, self.ended)
        found: list[Due] = []
        for index, reach in enumerate(self._reaches):
            while cut := next_cut(known, self._starts[index], reach):
                self._starts[index] = cut.core_end
                found.append(_due(index, cut))
        return sorted(found, key=lambda due: due.order)

    def decide(self, due: Due, spans: Iterable[Span]) -> None:
        """The window's rulings are known: `spans` (looked-at offsets) are to be rewritten."""
        self._decided[due.detector] = due.core_end
        self._spans.extend(spans)

    def release(self) -> Release | None:
        """What may leave now, once; None when nothing may."""
        frontier = min(self._decided)
        grouped = clusters(self._spans) if self._spans else []
        complete = self.ended and frontier == self.length
        hold = frontier
        if not complete:
            hold = self._hold(frontier, [(group.start, group.end) for group in grouped])
        raw_hold = self._raw_base + len(self._raw) if complete else self._view.raw(hold)
        if raw_hold <= self._left:
            return None
        edits: list[Edit] = []
        for group in grouped:
            if group.start < hold:
                own = self._looked[group.start - self._base : group.end - self._base]
                for edit in self._view.edits(
                    group.start, group.end, group.rewrite(own, self._secret)
                ):
                    if not edits or edit.start >= edits[-1].end:
                        edits.append(edit)
        text = self._raw[self._left - self._raw_base : raw_hold - self._raw_base]
        released = Release(self._left, text, tuple(edits))
        self._left = raw_hold
        self._spans = [span for span in self._spans if span.start >= hold]
        self._trim(hold)
        return released

    def _hold(self, frontier: int, groups: Sequence[tuple[int, int]]) -> int:
        """The frontier, moved left until it cuts neither an atom nor a cluster that could still grow."""
        hold = frontier
        while True:
            moved = self._view.snap(hold)
            for start, end in groups:
                if start < moved <= end:
                    moved = start
            if moved == hold:
                return hold
            hold = moved

    def _trim(self, hold: int) -> None:
        """Only plain text is let go of: a JSON view maps back over all of it."""
        if not self._plain:
            return
        keep = min(
            [hold]
            + [
                start - reach.before
                for start, reach in zip(self._starts, self._reaches, strict=True)
            ]
        )
        if keep - self._base > _TRIM:
            self._looked = self._looked[keep - self._base :]
            self._base = keep
        if self._left - self._raw_base > _TRIM:
            self._raw = self._raw[self._left - self._raw_base :]
            self._raw_base = self._left


def _due(index: int, cut: Cut) -> Due:
    order = (cut.settled, cut.window_end, cut.core_start, index)
    return Due(index, cut.core_end, cut.window, order)
