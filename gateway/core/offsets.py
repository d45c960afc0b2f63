"""The way back from a canonical text to the text that it was made from: an entry only where they differ.

It counts code points and knows no character. `looked` is an offset into the canonical text, `inner`
one into the text below.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Inner text [inner, inner_end) that became [looked, looked_end), which is empty where it was dropped.

    Of what was dropped, [inner, joined) belongs to the character before it.
    """

    looked: int
    looked_end: int
    inner: int
    inner_end: int
    joined: int


_ORIGIN = Change(0, 0, 0, 0, 0)


class Offsets:
    """Changes in order of place; between them the texts run side by side."""

    __slots__ = ("_before", "_changes", "_starts")

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._starts: list[int] = []
        self._before = _ORIGIN

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, change: Change) -> None:
        self._changes.append(change)
        self._starts.append(change.looked)

    def start_of(self, looked: int) -> int:
        """The inner place where the character at `looked` begins."""
        change = self._last(bisect_right(self._starts, looked))
        if looked < change.looked_end:
            return change.inner
        return change.inner_end + looked - change.looked_end

    def end_of(self, looked: int) -> int:
        """The inner place where the character before `looked` ends."""
        change = self._last(bisect_left(self._starts, looked))
        if looked < change.looked_end:
            return change.inner_end
        return change.inner_end + looked - change.looked_end

    def joined_end_of(self, looked: int) -> int:
        """The same, with the dropped characters that belong to that character."""
        at = bisect_left(self._starts, looked)
        if looked and at < len(self._changes):
            change = self._changes[at]
            if change.looked == change.looked_end == looked:
                return change.joined
        return self.end_of(looked)

    def atom(self, looked: int) -> tuple[int, int]:
        """The canonical bounds of the atom that `looked` stands inside of; (looked, looked) for none."""
        change = self._last(bisect_left(self._starts, looked))
        if looked < change.looked_end:
            return change.looked, change.looked_end
        return looked, looked

    def looked_of(self, inner: int) -> int:
        """The canonical place of an inner one that stands in no change."""
        change = self._last(bisect_right(self._changes, inner, key=lambda one: one.inner_end))
        return change.looked_end + inner - change.inner_end

    def forget(self, looked: int) -> None:
        """Let go of the changes before `looked`; nobody asks about that text any more."""
        at = bisect_left(self._starts, looked)
        while at and self._changes[at - 1].looked_end >= looked:
            at -= 1
        if at:
            self._before = self._changes[at - 1]
            del self._changes[:at], self._starts[:at]

    def _last(self, count: int) -> Change:
        return self._changes[count - 1] if count else self._before
