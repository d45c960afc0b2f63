"""One field of text on its way through: what came, what is settled, what is decided, what may leave.

The same code takes a whole passage and a growing reply. Text leaves up to the frontier (the least core
end that all detectors have been decided on), but never from inside a cluster that reaches it. What
leaves is worked out from text before the frontier alone, so it does not matter how much more has come.
It asks nobody and decides nothing: windows go out by `due`, what was ruled comes back by `decide`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.core.canonical import view_of
from gateway.core.model import Form, Window
from gateway.core.ports import Reach
from gateway.core.redact import Cluster, Edit, Span, apply, clusters
from gateway.core.windows import Cut, Known, joins, next_cut, soonest

GRAPHEME = 64
"""Characters that a rewriting takes with it at most, on either side, so as not to split a grapheme."""
_TRIM = 4096
"""Code points that pile up before what nobody needs any more is let go."""
_SPACE = re.compile(r"\s")


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


@dataclass(frozen=True, slots=True)
class _Pending:
    """A span to rewrite; where nothing ends it, it runs on to `furthest`."""

    span: Span
    furthest: int


class Strand:
    """`reaches` are those of the detectors that look at this field, in the policy's order.

    Offsets are those of the canonical text but for the raw ones of `place` and Release. Where nobody
    looks nothing is read: text leaves as it comes.
    """

    def __init__(self, form: Form, reaches: Sequence[Reach], secret: bytes) -> None:
        self._reaches = tuple(reaches)
        self._secret = secret
        self._view = view_of(form)
        self._trims = form is Form.PLAIN
        self._looked = ""
        self._base = 0
        self._raw = ""
        self._raw_base = 0
        self._left = 0
        self._starts = [0] * len(self._reaches)
        self._decided = [0] * max(len(self._reaches), 1)
        self._asked = 0
        self._soonest = 0
        self._pending: list[_Pending] = []
        self._fresh = False
        self.ended = False

    def feed(self, raw: str) -> None:
        """Take more text."""
        assert not self.ended, "a field that ended cannot grow"
        self._raw += raw
        if self._reaches:
            self._looked += self._view.feed(raw)

    def end(self) -> None:
        """The field is at its normal end. A broken upstream is not an end."""
        if not self.ended:
            if self._reaches:
                self._looked += self._view.close()
            self.ended = self._fresh = True

    @property
    def length(self) -> int:
        """Code points of text so far: canonical ones where somebody looks."""
        if not self._reaches:
            return self._raw_base + len(self._raw)
        return self._base + len(self._looked)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to look at: no text has come, or none that anybody could see."""
        if not self._reaches or not self.ended:
            return not self._raw_base + len(self._raw)
        return not self.length

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where canonical [start, end) lies in the Field's own text, from its first to its last character."""
        if not self._reaches:
            return start, end
        last = self._view.end(end)
        return min(self._view.start(start), last), last

    def due(self) -> list[Due]:
        """Windows settled since the last time, in the order in which they are decided."""
        if not self._reaches:
            if self._asked == self.length:
                return []
            self._asked = self.length
            return [Due(0, self.length, None, (self.length, self.length, 0, 0))]
        if not self.ended and self.length < self._soonest:
            return []
        known = Known(self._looked, self._base, self.ended, self._view.hidden)
        found: list[Due] = []
        for index, reach in enumerate(self._reaches):
            while cut := next_cut(known, self._starts[index], reach):
                self._starts[index] = cut.core_end
                found.append(_due(index, cut))
        self._soonest = min(map(soonest, self._starts, self._reaches))
        return sorted(found, key=lambda due: due.order)

    def decide(self, due: Due, spans: Iterable[Span]) -> None:
        """The window's rulings are known: `spans` are to be rewritten."""
        self._decided[due.detector] = due.core_end
        self._fresh = True
        for span in spans:
            furthest = span.end
            if due.window and furthest == due.window.start + len(due.window.text):
                furthest += self._reaches[due.detector].run_on
            self._pending.append(_Pending(span, furthest))

    def release(self) -> Release | None:
        """What may leave now, once; None when nothing may."""
        if not self._fresh:
            return None
        self._fresh = False
        frontier = min(self._decided)
        if not self._reaches:
            return self._leave(frontier, ())
        grouped: list[Cluster] = []
        if self._pending:
            grouped = clusters(self._widened(one, frontier) for one in self._pending)
        if self.ended and frontier == self.length:
            hold, raw_hold = frontier, self._raw_base + len(self._raw)
        else:
            hold = self._hold(frontier, grouped)
            raw_hold = self._view.cut(hold)
        if raw_hold <= self._left:
            return None
        released = self._leave(raw_hold, self._edits(grouped, hold))
        if grouped:
            self._pending = [one for one in self._pending if one.span.start >= hold]
        self._trim(hold)
        return released

    def _leave(self, raw_end: int, edits: Sequence[Edit]) -> Release | None:
        """Raw text up to `raw_end` leaves."""
        text = self._raw[self._left - self._raw_base : raw_end - self._raw_base]
        released = Release(self._left, text, tuple(edits)) if text else None
        self._left = raw_end
        if self._left - self._raw_base > _TRIM:
            self._raw = self._raw[self._left - self._raw_base :]
            self._raw_base = self._left
        return released

    def _edits(self, grouped: Sequence[Cluster], hold: int) -> list[Edit]:
        """What is to be changed in the raw text before `hold`."""
        edits: list[Edit] = []
        for group in grouped:
            if group.start < hold:
                own = self._looked[group.start - self._base : group.end - self._base]
                text = group.rewrite(own, self._secret)
                for edit in self._view.edits(group.start, group.end, text):
                    if not edits or edit.start >= edits[-1].end:
                        edits.append(edit)
        return edits

    def _hold(self, frontier: int, groups: Sequence[Cluster]) -> int:
        """The frontier, moved left until it cuts no atom, grapheme or cluster that could still grow."""
        hold = self._left_edge(frontier)
        while True:
            moved = self._view.snap(hold)
            for group in groups:
                if group.start < moved <= group.end:
                    moved = group.start
            if moved == hold:
                return hold
            hold = moved

    # -- how far a rewriting goes

    def _widened(self, one: _Pending, frontier: int) -> Span:
        """The span with all of the graphemes, atoms and the unbounded word that it meets.

        It looks at no text from the frontier on: a span that reaches it waits anyhow.
        """
        start, end = self._left_edge(one.span.start), one.span.end
        if end < min(one.furthest, frontier):
            end = self._word_end(end, min(one.furthest, frontier))
        end = self._right_edge(end, frontier)
        if start == one.span.start and end == one.span.end:
            return one.span
        return replace(one.span, start=start, end=end)

    def _word_end(self, start: int, furthest: int) -> int:
        stop = self._view.stop(start, furthest)
        space = _SPACE.search(self._looked, start - self._base, stop - self._base)
        return space.start() + self._base if space else stop

    def _left_edge(self, at: int) -> int:
        if self._view.regular and self._looked[at - self._base : at - self._base + 1].isascii():
            return at
        for _ in range(GRAPHEME):
            start, _end = self._view.atom(at)
            if start == at:
                if not self._joins(at):
                    break
                start -= 1
            at = start
        return at

    def _right_edge(self, at: int, frontier: int) -> int:
        for _ in range(GRAPHEME):
            _start, end = self._view.atom(at)
            if end == at:
                if at >= frontier or not self._joins(at):
                    break
                end += 1
            at = end
        return at

    def _joins(self, at: int) -> bool:
        """Whether the character at `at` belongs to the one before it."""
        if at <= self._base or at >= self.length:
            return False
        character = self._looked[at - self._base]
        return (not character.isascii() and joins(character)) or self._view.glued(at)

    def _trim(self, hold: int) -> None:
        """Only plain text is let go of: a JSON view maps back over all of it."""
        if not self._trims:
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
            self._view.forget(keep)


def _due(index: int, cut: Cut) -> Due:
    order = (cut.settled, cut.window_end, cut.core_start, index)
    return Due(index, cut.core_end, cut.window, order)
