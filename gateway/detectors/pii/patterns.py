"""Everything of Presidio that needs no model: patterns, checksums, phone numbers, context words.

The recognizers are Presidio's own. Left out is what cannot change a score: recognizers that cannot
match in the core, explanations, deep copies, tokens that nobody reads. Not thread-safe.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from gateway.detectors.pii.context import ContextWords, Nearby
from gateway.detectors.pii.gates import GATES
from gateway.detectors.pii.hits import Hit
from gateway.detectors.pii.phone import PhoneFinder

Seek = Callable[[str, int, int], Iterable[Hit]]
"""Hits in a text, perhaps only those that meet [start, end)."""


class Patterns:
    """Hits of all the given recognizers. Score is after context words; no threshold is applied."""

    def __init__(self, recognizers: Sequence[Any], words: ContextWords) -> None:
        self._seekers = [
            (_seeker(recognizer), tuple(word.lower() for word in recognizer.context))
            for recognizer in recognizers
        ]
        self._words = words

    def look(self, text: str, start: int, end: int) -> list[Hit]:
        """The hits that meet [start, end) of `text`."""
        near: Nearby | None = None
        found: list[Hit] = []
        for seek, context in self._seekers:
            for hit in seek(text, start, end):
                if not hit.meets(start, end):
                    continue
                near = near or self._words.near(text)
                score = near.score(hit.score, hit.start, context)
                found.append(Hit(hit.entity, hit.start, hit.end, score))
        return found


def _seeker(recognizer: Any) -> Seek:
    if type(recognizer).__name__ == "PhoneRecognizer":
        return _phone_seeker(recognizer)
    gate = GATES.get(type(recognizer).__name__)

    def seek(text: str, start: int, end: int) -> Iterator[Hit]:
        if gate and text.isascii() and not gate.passes(text, start, end):
            return
        for result in recognizer.analyze(text, recognizer.supported_entities, None):
            yield Hit(result.entity_type, result.start, result.end, result.score)

    return seek


def _phone_seeker(recognizer: Any) -> Seek:
    finder = PhoneFinder(tuple(recognizer.supported_regions), recognizer.leniency)
    entity: str = recognizer.supported_entities[0]

    def seek(text: str, start: int, end: int) -> Iterator[Hit]:
        for begin, finish in finder.spans(text, start, end):
            yield Hit(entity, begin, finish, recognizer.SCORE)

    return seek
