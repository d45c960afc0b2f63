"""Texts that stand side by side in one message, as one.

They were looked at as one Passage. Texts with something between them were not, and must never be run
together afterwards: two halves, harmless each, could make what a policy forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.core.conversation import Declined, Piece, Said, Thought


def as_one(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces of one message, neighbours of one sort as one piece."""
    for _, run in groupby(pieces, type):
        first, *others = run
        if isinstance(first, Said | Thought | Declined):
            words = [one.text for one in others if isinstance(one, Said | Thought | Declined)]
            yield type(first)("".join([first.text, *words]))
        else:
            yield first
            yield from others
