"""What a recognizer saw, and settling hits that lie in one another. Pure; holds no text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Hit(NamedTuple):
    """A span of one entity (Presidio's name). Offsets are code points of the text looked at."""

    entity: str
    start: int
    end: int
    score: float

    def meets(self, start: int, end: int) -> bool:
        return self.start < end and self.end > start

    def moved(self, by: int) -> Hit:
        return Hit(self.entity, self.start + by, self.end + by, self.score)


def settle(hits: Iterable[Hit]) -> list[Hit]:
    """The hits without those that lie in another of their entity with at least their score.

    As EntityRecognizer.remove_duplicates of presidio-analyzer 2.2.366; in order of place.
    """
    ordered = sorted(set(hits), key=lambda hit: (hit.entity, hit.start, -hit.end, -hit.score))
    kept: list[Hit] = []
    for hit in ordered:
        if hit.score > 0 and not any(_covers(other, hit) for other in kept):
            kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.start, hit.end, hit.entity))


def _covers(other: Hit, hit: Hit) -> bool:
    return (
        other.entity == hit.entity
        and other.start <= hit.start
        and other.end >= hit.end
        and other.score >= hit.score
    )
